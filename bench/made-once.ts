/**
 * Big inputs of the bench, made once and found again by later runs: folders under the system's
 * temporary folder, named after their parameters and the code that makes them.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { link, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const MAKERS = ['seeded-text.ts', 'rollout-text.ts', 'big-home.ts', 'long-thread.ts']

/** Answers the folder, which `make` fills when it is not there yet. Its files are not to change. */
export async function madeOnce(
  name: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const root = join(tmpdir(), 'bobbin-bench')
  const folder = join(root, `${name}-${makersHash()}`)
  if (existsSync(folder)) return folder
  await removeOlder(root, name)
  const unfinished = await mkdtemp(join(root, 'unfinished-'))
  try {
    await make(unfinished)
    await rename(unfinished, folder)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    throw error
  }
  return folder
}

/** What an older version of the makers has made. */
async function removeOlder(root: string, name: string): Promise<void> {
  await mkdir(root, { recursive: true })
  for (const entry of await readdir(root)) {
    const isOlder = entry.startsWith(`${name}-`) && entry.length === name.length + 9
    if (isOlder) await rm(join(root, entry), { recursive: true, force: true })
  }
}

function makersHash(): string {
  const hash = createHash('sha256')
  for (const file of MAKERS) hash.update(readFileSync(join(import.meta.dirname, file)))
  return hash.digest('hex').slice(0, 8)
}

/** A tree whose files are those of another: for programs that read them and change none. */
export async function linkTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) await linkTree(source, target)
    else await link(source, target)
  }
}
