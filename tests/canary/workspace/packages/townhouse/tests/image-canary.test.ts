// Tier C: boots the real image, by its digest, and asks what townhouse asks.
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const image = process.env.CONNECTOR_IMAGE_OVERRIDE ?? '';
const port = process.env.CONNECTOR_PORT ?? '';

describe.skipIf(process.env.SKIP_DOCKER)('connector image', () => {
  const docker = new Docker();
  let container: Docker.Container | undefined;

  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);

  beforeAll(async () => {
    const pulled = await docker.pull(image);
    await new Promise<void>((done, failed) => {
      docker.modem.followProgress(pulled, (error) => (error ? failed(error) : done()));
    });
    container = await docker.createContainer({
      Image: image,
      Env: [`PORT=${port}`],
      HostConfig: { NetworkMode: 'host', ReadonlyRootfs: true },
    });
    await container.start();
    for (let tries = 0; ; tries += 1) {
      try {
        await get('/health');
        return;
      } catch (error) {
        if (tries > 100) throw error;
        await new Promise((later) => setTimeout(later, 100));
      }
    }
  }, 60_000);

  afterAll(async () => {
    await container?.remove({ force: true });
  }, 60_000);

  it('is healthy', async () => {
    expect((await get('/health')).status).toBe(200);
  });

  it.each(['/admin/peers', '/admin/metrics.json', '/admin/earnings.json'])(
    'GET %s answers 200 with JSON',
    async (path) => {
      const answer = await get(path);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toBeTypeOf('object');
    },
  );
});
