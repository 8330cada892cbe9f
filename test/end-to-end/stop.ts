/** After all end-to-end tests. */
export default async function stop(): Promise<void> {
  // A deploy that no test waited for must not outlive its local AWS.
  await globalThis.slipwayRun?.deployed;
  await globalThis.slipwayRun?.run.stop();
}
