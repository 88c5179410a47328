// Tier B: against a connector that the test makes itself.
import { createServer } from 'node:http';
import { expect, it } from 'vitest';

it('reads the peers of a connector', async () => {
  const server = createServer((_, answer) => answer.end('{"peers":[]}'));
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as { port: number };
  const answer = await fetch(`http://127.0.0.1:${port}/admin/peers`);
  expect(await answer.json()).toEqual({ peers: [] });
  server.close();
});
