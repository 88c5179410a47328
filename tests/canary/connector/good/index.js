export const createConnector = ({ nodeId }) => ({ nodeId, running: false });
export const isAddress = (text) => /^[a-z]+(\.[a-z0-9]+)+$/.test(text);
