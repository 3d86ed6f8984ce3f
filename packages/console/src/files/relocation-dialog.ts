/**
 * Asks where files and folders go, and moves or copies them there: each in one request without its bytes, whatever its
 * size. What is refused stays where it is, and is said; a move can be taken back. Invariant: what is taken back is what was
 * moved, by its names, and never what else is at the target.
 */
import type { StorageClient } from '@rowlock/client';
import { openDialog } from '../dialog.ts';
import { button, type Child, element } from '../element.ts';
import { announce } from '../status-line.ts';
import { attempt, type ViewContext } from '../view.ts';
import { type Chosen, chosenCount, chosenInWords } from './chosen.ts';
import { namesOf, refusalInWords } from './deletion.ts';
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
      const isUndone = kind === 'move' && !target.overwrite;
      const names = isUndone ? await namesOf(context.client, chosen) : undefined;
      const { failed, withheld } = await run(context, kind, { chosen, target, steps });
      go.disabled = false;
      if (failed.length < steps.length) {
        onDone();
      }
      if (failed.length > 0) {
        problem.textContent = refusalInWords(failed);
        return;
      }
      opened.close(true);
      const moves = await moved(context.client, { chosen, steps, names, withheld });
      const stayed = withheld === 0 ? '' : ` ${withheld.toLocaleString('en')} stayed: not yours to move.`;
      const sentence = `${chosenInWords(chosen)} ${kind === 'copy' ? 'copied' : 'moved'} to ${target.bucket}/${target.prefix}.`;
      tell(context, { chosen, target, moves, onDone }, sentence + stayed);
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

async function run(
  { client }: ViewContext,
  kind: Kind,
  { chosen, target, steps }: Relocation,
): Promise<{ readonly failed: readonly Failed<Step>[]; readonly withheld: number }> {
  let withheld = 0;
  const failed = await inParallel(steps, async ({ from, to }) => {
    if (from.endsWith('/')) {
      const at = {
        bucketId: chosen.bucket,
        sourcePrefix: from,
        destinationBucket: target.bucket,
        destinationPrefix: to,
      };
      const { withheld: stayed = 0 } = await relocateFolder(client, kind, at);
      withheld += stayed;
    } else {
      const [source, destination] = [
        { bucket: chosen.bucket, name: from },
        { bucket: target.bucket, name: to },
      ];
      await client[kind](source, destination, { overwrite: target.overwrite });
    }
  });
  return { failed, withheld };
}

interface Moved {
  readonly chosen: Chosen;
  readonly steps: readonly Step[];
  /** What there was to be moved; undefined where that is too much for an undo. */
  readonly names: readonly string[] | undefined;
  readonly withheld: number;
}

/** Each file that has gone, with where it is now; undefined where they are too many. */
async function moved(
  client: StorageClient,
  { chosen, steps, names, withheld }: Moved,
): Promise<readonly Step[] | undefined> {
  const left = withheld === 0 ? [] : await namesOf(client, { ...chosen, files: [] });
  if (names === undefined || left === undefined) {
    return undefined;
  }
  const stayed = new Set(left);
  return names
    .filter((name) => !stayed.has(name))
    .flatMap((name) => {
      const step = steps.find(({ from }) => from === name || (from.endsWith('/') && name.startsWith(from)));
      return step === undefined ? [] : [{ from: name, to: step.to + name.slice(step.from.length) }];
    });
}

interface Told {
  readonly chosen: Chosen;
  readonly target: Target;
  readonly moves: readonly Step[] | undefined;
  readonly onDone: () => void;
}

function tell(context: ViewContext, { chosen, target, moves, onDone }: Told, sentence: string): void {
  if (moves === undefined) {
    announce(sentence);
    return;
  }
  const undo = async (): Promise<void> => {
    const failed = await inParallel(moves, ({ from, to }) =>
      context.client.move({ bucket: target.bucket, name: to }, { bucket: chosen.bucket, name: from }),
    );
    onDone();
    announce(failed.length === 0 ? 'It is where it was.' : refusalInWords(failed));
  };
  offerUndo(context, sentence, undo);
}
