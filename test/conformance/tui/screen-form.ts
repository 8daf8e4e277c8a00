/** What of a screen is compared: everything but what is chance, or a name of one of the worlds. */

/** The same in both worlds but for when and where they run. */
const CHANCE: readonly (readonly [RegExp, string])[] = [
  // A terminal may break an id anywhere.
  [/(\s?[0-9a-f]){8}(\s?-(\s?[0-9a-f]){4}){3}\s?-(\s?[0-9a-f]){12}/g, ' <id>'],
  [/(<|\b)\d+(\.\d+)?(ms|s|m)\b( \d+s\b)?( ago)?/g, '<time>'],
  [/\b(just now|now|\d+ (second|minute)s? ago)\b/g, '<time>'],
  [/\b\d{1,2}:\d{2}(:\d{2})?( [AP]M)?\b/g, '<time>'],
]

/** Lines that come and go by the clock, or are the machine's own. */
const PASSING: readonly RegExp[] = [
  /^[•◦⠁-⣿]? ?(Working|Starting MCP|Booting)\b.*$/,
  /^[─━╌ ]+$/,
  /^[\u2800-\u28ff ]+$/,
]

export function screenForm(
  screen: string,
  names: readonly (readonly [string, string])[],
): string[] {
  let text = screen
  for (const [name, word] of names) text = text.replaceAll(name, word)
  for (const [pattern, word] of CHANCE) text = text.replace(pattern, word)
  const lines = text.split('\n').map((line) =>
    line
      .replace(/\s+│$/, ' │')
      .replace(/<time>\s+/g, '<time> ')
      .trimEnd(),
  )
  return lines.filter((line) => line !== '' && !PASSING.some((passing) => passing.test(line)))
}
