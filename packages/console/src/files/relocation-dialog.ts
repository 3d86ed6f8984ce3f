/**
 * Asks where files and folders go, and moves or copies them there: each in one request without its bytes, whatever its
 * size. What is refused stays where it is, and is said; a move can be taken back.
 */
import { openDialog } from '../dialog.ts';
import { button, type Child, element } from '../element.ts';
import { announce } from '../status-line.ts';
import { attempt, type ViewContext } from '../view.ts';
import { type Chosen, chosenCount, chosenInWords } from './chosen.ts';
import { refusalInWords } from './deletion.ts';
import { type Failed, inParallel } from './in-parallel.ts';
import { relocateFolder } from './object-calls.ts';
import { folderOf, lastPart, prefixOfText } from './object-name.ts';
import { offerUndo } from './undo.ts';

type Kind = 'move' | 'copy';

interface Target {
  readonly bucket: string;
  /** Empty, or ending in a slash. */
  readonly prefix: string;
  /** Another name for the one file that goes. */
  readonly name: string | undefined;
  readonly overwrite: boolean;
}

/** One thing that goes, and where it goes; folders end in a slash on both sides. */
interface Step {
  readonly from: string;
  readonly to: string;
}

/** Opens the dialog; `onDone` is called when something has gone, and when it is back. */
export async function relocate(context: ViewContext, kind: Kind, chosen: Chosen, onDone: () => void): Promise<void> {
  const buckets = (await context.client.listBuckets()).map(({ id }) => id);
  const word = kind === 'move' ? 'Move' : 'Copy';
  const problem = element('p', { class: 'problem', role: 'alert' });
  const go = element('button', { class: 'primary', type: 'submit' }, word);
  const cancel = button({ press: () => opened.close(false) }, 'Cancel');
  const actions = element('div', { class: 'dialog-actions' }, cancel, go);
  const form = element('form', {}, ...fields(chosen, buckets), problem, actions);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const target = targetOf(chosen, new FormData(form));
    go.disabled = true;
    const work = async (): Promise<void> => {
      const steps = stepsOf(chosen, target);
      const failed = await run(context, kind, { chosen, target, steps });
      go.disabled = false;
      if (failed.length < steps.length) {
        onDone();
      }
      if (failed.length > 0) {
        problem.textContent = refusalInWords(failed);
        return;
      }
      opened.close(true);
      tell(context, kind, { chosen, target, steps, onDone });
    };
    void attempt(context, work, (sentence) => {
      problem.textContent = sentence;
      go.disabled = false;
    });
  });
  const opened = openDialog(`${word} ${chosenInWords(chosen)}`, context.signal, form);
  form.querySelector<HTMLInputElement>('input[name="folder"]')?.select();
  await opened.closed;
}

function fields(chosen: Chosen, buckets: readonly string[]): readonly Child[] {
  const [first = ''] = [...chosen.files, ...chosen.folders];
  const options = buckets.map((id) => element('option', { value: id, selected: id === chosen.bucket }, id));
  const bucket = element('select', { id: 'target-bucket', name: 'bucket' }, ...options);
  const folder = element('input', {
    id: 'target-folder',
    name: 'folder',
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: 'The top of the bucket',
    'aria-describedby': 'target-folder-hint',
  });
  folder.value = folderOf(first.replace(/\/$/, ''));
  const name = element('input', { id: 'target-name', name: 'name', autocomplete: 'off', required: true });
  name.value = lastPart(first);
  const isOneFile = chosenCount(chosen) === 1 && chosen.files.length === 1;
  return [
    field('Bucket', bucket),
    field('Folder', folder, 'With slashes between folders. It is there as soon as a file is in it.'),
    isOneFile && field('Name', name),
    chosen.files.length > 0 &&
      element(
        'label',
        { class: 'check' },
        element('input', { type: 'checkbox', name: 'overwrite' }),
        'Replace what has the name already',
      ),
  ];
}

function field(label: string, control: HTMLElement, hint?: string): HTMLElement {
  return element(
    'div',
    { class: 'field' },
    element('label', { for: control.id }, label),
    control,
    hint !== undefined && element('p', { class: 'hint', id: `${control.id}-hint` }, hint),
  );
}

function targetOf(chosen: Chosen, data: FormData): Target {
  const name = data.get('name');
  return {
    bucket: String(data.get('bucket') ?? chosen.bucket),
    prefix: prefixOfText(String(data.get('folder') ?? '')),
    name: typeof name === 'string' && name !== '' ? name : undefined,
    overwrite: data.get('overwrite') !== null,
  };
}

function stepsOf({ files, folders }: Chosen, { prefix, name }: Target): readonly Step[] {
  return [
    ...files.map((from) => ({ from, to: prefix + (name ?? lastPart(from)) })),
    ...folders.map((from) => ({ from, to: `${prefix}${lastPart(from.slice(0, -1))}/` })),
  ];
}

interface Relocation {
  readonly chosen: Chosen;
  readonly target: Target;
  readonly steps: readonly Step[];
}

function run(
  { client }: ViewContext,
  kind: Kind,
  { chosen, target, steps }: Relocation,
): Promise<readonly Failed<Step>[]> {
  return inParallel(steps, ({ from, to }) =>
    from.endsWith('/')
      ? relocateFolder(client, kind, {
          bucketId: chosen.bucket,
          sourcePrefix: from,
          destinationBucket: target.bucket,
          destinationPrefix: to,
        })
      : client[kind](
          { bucket: chosen.bucket, name: from },
          { bucket: target.bucket, name: to },
          { overwrite: target.overwrite },
        ),
  );
}

function tell(
  context: ViewContext,
  kind: Kind,
  { chosen, target, steps, onDone }: Relocation & { readonly onDone: () => void },
): void {
  const where = `${target.bucket}/${target.prefix}`;
  if (kind === 'copy' || target.overwrite) {
    announce(`${chosenInWords(chosen)} ${kind === 'copy' ? 'copied' : 'moved'} to ${where}.`);
    return;
  }
  const undo = async (): Promise<void> => {
    const back = steps.map(({ from, to }) => ({ from: to, to: from }));
    const there: Chosen = { ...chosen, bucket: target.bucket };
    const failed = await run(context, 'move', {
      chosen: there,
      target: { ...target, bucket: chosen.bucket },
      steps: back,
    });
    onDone();
    announce(failed.length === 0 ? 'It is where it was.' : refusalInWords(failed));
  };
  offerUndo(context, `${chosenInWords(chosen)} moved to ${where}.`, undo);
}
