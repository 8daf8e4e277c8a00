export { type FindSandbox, findSandbox } from './find-sandbox.ts'
export {
  type Confined,
  type ConfineRequest,
  type ConfiningPolicy,
  isConfining,
  networkEnvironment,
  type Sandbox,
  SandboxError,
  type SandboxState,
  sandboxName,
} from './sandbox.ts'
export { SandboxFinder } from './sandbox-finder.ts'
