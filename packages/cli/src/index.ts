export { commands } from './commands.ts';
export { configurationReference } from './configuration-reference.ts';
export { main } from './main.ts';
