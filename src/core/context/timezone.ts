import { readFileSync, readlinkSync } from 'node:fs'

const ZONE_IN_PATH = /\/zoneinfo\/(?:posix\/|right\/)?(.+)$/

/**
 * IANA name of the local zone, as real Codex spells it (plain UTC is `Etc/UTC`). The system's own
 * files are asked first: loading the time zone data of `Intl` costs 20 ms.
 */
export function localTimezone(): string {
  const name = process.env.TZ || fromSystem() || Intl.DateTimeFormat().resolvedOptions().timeZone
  return name === 'UTC' ? 'Etc/UTC' : name
}

function fromSystem(): string | undefined {
  try {
    const linked = ZONE_IN_PATH.exec(readlinkSync('/etc/localtime'))?.[1]
    return linked ?? readFileSync('/etc/timezone', 'utf8').trim()
  } catch {
    // Neither file is there on every system; `Intl` knows too.
    return undefined
  }
}
