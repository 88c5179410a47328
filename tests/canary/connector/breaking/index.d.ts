export interface Connector {
  nodeId: string;
  running: boolean;
}
export declare const createConnector: (config: { nodeId: string }) => Connector;
