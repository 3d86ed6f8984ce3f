/** Names as they are, not as they want to look: as our custom elements show them. */
export { nameInText, partsOfName, visibleName } from '@rowlock/elements/page';
