/**
 * Scripts that Bobbin cannot play yet, by name, and what they wait for. A script that passes has to
 * be taken off this list: its test says so.
 */
export const PENDING: { readonly [script: string]: string } = {}
