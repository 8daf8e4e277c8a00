import { execFileSync } from 'node:child_process'
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')

/** A new folder as npm would install it: the built files alone, beside this checkout's packages. */
export async function buildPackage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bobbin-package-'))
  try {
    await cp(join(ROOT, 'bin'), join(folder, 'bin'), { recursive: true })
    await cp(join(ROOT, 'package.json'), join(folder, 'package.json'))
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    execFileSync(process.execPath, [join(ROOT, 'scripts', 'build.ts'), join(folder, 'dist')])
    return folder
  } catch (error) {
    await rm(folder, { recursive: true })
    throw error
  }
}
