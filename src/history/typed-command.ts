const SHELL = /^(?:\S*\/)?(?:ba|z|da|k)?sh -l?c /

/** A command as it was typed, without the shell around it; `command` is shell-quoted. */
export function typedCommand(command: string): string {
  const shell = SHELL.exec(command)?.[0]
  if (shell === undefined) return command
  const script = unquotedWord(command.slice(shell.length))
  return script ?? command
}

const PIECE = /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)/y

/** Undefined when it is more than one word, or none. */
function unquotedWord(text: string): string | undefined {
  const pieces: string[] = []
  for (let at = 0; at < text.length; ) {
    PIECE.lastIndex = at
    const found = PIECE.exec(text)
    if (!found) return undefined
    const [whole, single, double, escaped, bare] = found
    pieces.push(single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? bare ?? '')
    at += whole.length
  }
  return pieces.length === 0 ? undefined : pieces.join('')
}
