// What the sdk relies on the connector's package for.
import * as connector from '@toon-protocol/connector';
import { describe, expect, it } from 'vitest';

describe('connector contract', () => {
  it('makes a connector that is not started', () => {
    expect(connector.createConnector({ nodeId: 'a' }).running).toBe(false);
  });

  it.each(['g.town.a', 'g.town.b'])('accepts %s as an address', (address) => {
    expect(connector.isAddress(address)).toBe(true);
  });

  it('refuses what is no address', () => {
    expect(connector.isAddress('no address')).toBe(false);
  });
});
