export type { Messages, StepContext, StepOptions, StepRetry, Waited, WaitOptions, WorkflowContext } from './context.ts'
export type { InstanceRow, KeptError, StepRow, Trouble, WorkflowStatus } from './rows.ts'
export { workflow, type Workflow, type WorkflowShape } from './workflow.ts'
export type { WorkflowHandle } from './workflow-calls.ts'
