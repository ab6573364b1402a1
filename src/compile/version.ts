/** The version of the package, as package.json has it: part of what a stored plan is known by. */
export const version = '0.1.0'
