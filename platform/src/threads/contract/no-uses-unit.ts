// The unit of the tests, in a file that does not say what its services use.
export { default } from './thread-unit.ts'
