// The half of the contract that only the compiler sees: nothing here is run.
import { createConnector, isAddress, type Connector } from '@toon-protocol/connector';

export const made: Connector = createConnector({ nodeId: 'a' });
export const known: boolean = isAddress('g.town.a');
