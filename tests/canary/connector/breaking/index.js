export const createConnector = ({ nodeId }) => ({ nodeId, running: false });
