/* A connector as the contract sees it, for an image of less than a megabyte. It listens on
   loopback, at PORT. Built with -DBREAKING it no longer knows /admin/earnings.json. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *body_of(const char *request) {
  if (!strncmp(request, "GET /health ", 12)) return "{\"status\":\"healthy\"}";
  if (!strncmp(request, "GET /admin/peers ", 17)) return "{\"peers\":[]}";
  if (!strncmp(request, "GET /admin/metrics.json ", 24)) return "{\"packets\":0}";
#ifndef BREAKING
  if (!strncmp(request, "GET /admin/earnings.json ", 25)) return "{\"earnings\":[]}";
#endif
  return 0;
}

int main(void) {
  const char *port = getenv("PORT");
  struct sockaddr_in address = {.sin_family = AF_INET};
  int on = 1, door = socket(AF_INET, SOCK_STREAM, 0);
  signal(SIGPIPE, SIG_IGN);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((unsigned short)atoi(port ? port : "8080"));
  setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(door, (struct sockaddr *)&address, sizeof address) || listen(door, 16)) {
    perror("connector");
    return 1;
  }
  for (;;) {
    char request[4096], answer[512];
    int guest = accept(door, 0, 0);
    ssize_t length = guest < 0 ? -1 : read(guest, request, sizeof request - 1);
    if (length > 0) {
      request[length] = 0;
      const char *body = body_of(request);
      int size = snprintf(answer, sizeof answer,
                          "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                          "Connection: close\r\n\r\n%s",
                          body ? "200 OK" : "404 Not Found", strlen(body ? body : "{}"),
                          body ? body : "{}");
      if (write(guest, answer, (size_t)size) != size) perror("connector");
    }
    if (guest >= 0) close(guest);
  }
}
