/** What a command may do, in paths that exist and have no links in them. */
export interface Walls {
  /** Writable; one may lie in another. */
  readonly roots: readonly string[]
  /** Read-only although they lie in a root. */
  readonly readOnly: readonly string[]
  /** Folders that show up empty and read-only. */
  readonly masked: readonly string[]
  readonly hasNetwork: boolean
  readonly isTty: boolean
  /** Descriptor of the filter for calls of the kernel. */
  readonly filterFd: number | undefined
}

/**
 * The arguments of bwrap in front of the command. What one root protects is protected in the others
 * too. All capabilities are dropped: who starts Bobbin as root would otherwise keep the right to
 * mount, and with it the way out.
 */
export function bwrapArguments(walls: Walls): string[] {
  const { roots, readOnly, masked, hasNetwork, isTty, filterFd } = walls
  const isAll = roots.includes('/')
  const inner = roots.filter((root) => root !== '/').sort((a, b) => a.length - b.length)
  return [
    '--die-with-parent',
    ...(isTty ? [] : ['--new-session']),
    ...[isAll ? '--bind' : '--ro-bind', '/', '/'],
    ...['--dev', '/dev'],
    ...inner.flatMap((root) => ['--bind', root, root]),
    ...readOnly.flatMap((path) => ['--ro-bind', path, path]),
    ...masked.flatMap((path) => ['--perms', '555', '--tmpfs', path, '--remount-ro', path]),
    ...['--unshare-user', '--unshare-pid', '--unshare-ipc'],
    ...(hasNetwork ? [] : ['--unshare-net']),
    ...['--proc', '/proc', '--cap-drop', 'ALL'],
    ...(filterFd === undefined ? [] : ['--seccomp', String(filterFd)]),
    '--',
  ]
}
