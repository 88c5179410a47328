// Another integration test, of which the contract knows nothing.
import { expect, it } from 'vitest';

it('relays', () => {
  expect(process.env.RELAY_IS_DOWN).toBeUndefined();
});
