/** Stable; listed in `bobbin help`. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  unconfirmed: 5,
  damaged: 6,
  invalidConfig: 8,
  missingKey: 9,
  homeUnreadable: 10,
  unknownProvider: 11,
  interrupted: 130,
  terminated: 143,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export const EXIT_CODE_HELP = `Exit codes:
    0  done
    1  failed (the turn failed, or something unforeseen)
    2  wrong use: flag, argument or input file
    3  no such thread
    4  conflict: the thread is in use, or cannot be appended to
    5  not confirmed: nothing was done
    6  the thread's file is damaged beyond reading
    8  config.toml, a profile or -c is invalid
    9  no API key
   10  the home cannot be read
   11  unknown model provider
  130  interrupted (Ctrl-C), 143 terminated`
