const MOST = 20

/** Works on all of them, at most twenty at once. */
export async function atOnce<T>(all: readonly T[], work: (each: T) => Promise<void>) {
  const waiting = all.values()
  const worker = async () => {
    for (const each of waiting) await work(each)
  }
  await Promise.all(Array.from({ length: MOST }, worker))
}
