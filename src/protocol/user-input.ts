/** What a person hands to a turn. */
export type UserInput =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'localImage'; readonly path: string }
