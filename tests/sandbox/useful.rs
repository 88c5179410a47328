//! That honest programs work.

use crate::{Stand, strict};
use std::path::Path;

#[tokio::test]
async fn node_git_and_a_compiler_run_where_they_are_there() {
    let stand = Stand::new();
    let Some(sandbox) = strict().await else { return };
    for (tool, script, expected) in [
        ("/usr/bin/node", "node -e 'console.log([1,2].map(it => it * 2).join())'", "2,4\n"),
        (
            "/usr/bin/git",
            "git init -q r && cd r && git -c user.name=a -c user.email=a@b commit -qm x --allow-empty \
             && git log --format=%s",
            "x\n",
        ),
        (
            "/usr/bin/cc",
            "echo 'int main(void){return 42;}' >a.c && cc -o a a.c; ./a; echo $?",
            "42\n",
        ),
        (
            "/usr/bin/python3",
            "python3 -c 'import ssl, tempfile; print(tempfile.gettempdir()[-3:])'",
            "tmp\n",
        ),
    ] {
        if Path::new(tool).exists() {
            let seen = stand.step(&sandbox, &stand.cell(script)).await;
            assert_eq!((seen.code, seen.out.as_str()), (Some(0), expected), "{tool}: {seen:#?}");
        }
    }
}

#[tokio::test]
async fn its_own_loopback_and_sockets_work() {
    let stand = Stand::new();
    let Some(sandbox) = strict().await else { return };
    let script = crate::perl(
        "socket(L, PF_INET, SOCK_STREAM, 0); bind(L, pack_sockaddr_in(0, INADDR_LOOPBACK)) or die; \
         listen(L, 1); my ($p) = unpack_sockaddr_in(getsockname(L)); \
         if (!fork) { socket(C, PF_INET, SOCK_STREAM, 0); \
         connect(C, pack_sockaddr_in($p, INADDR_LOOPBACK)); print C \"heard\\n\"; exit } \
         accept(S, L); print <S>",
    );
    let seen = stand.step(&sandbox, &stand.cell(&script)).await;
    assert_eq!(seen.out, "heard\n", "{seen:#?}");
}
