export default { test: { include: ['tests/integration/**/*.test.ts'] } };
