/** The console's pictograms: those of our custom elements. */
export { type IconName, icon } from '@rowlock/elements/page';
