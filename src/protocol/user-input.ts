/** What a person hands to a turn. */
export type UserInput =
  | { readonly type: 'text'; readonly text: string }
  /** A picture that the model's server fetches, or a data URL. */
  | { readonly type: 'image'; readonly url: string }
  | { readonly type: 'localImage'; readonly path: string }
