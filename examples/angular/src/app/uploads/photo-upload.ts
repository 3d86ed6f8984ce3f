/**
 * One photo on its way: what it is doing, how far it is, and what became of it, as signals. It sends nothing itself;
 * `PhotoUploads` moves it from state to state.
 */
import { computed, signal } from '@angular/core';
import type { UploadProgress } from '@rowlock/client';
import type { PhotoLocation } from './photo-location';

export type PhotoUploadState = 'waiting' | 'sending' | 'reading' | 'ready' | 'failed' | 'cancelled';

let lastNumber = 0;

export class PhotoUpload {
  readonly number = ++lastNumber;
  readonly state = signal<PhotoUploadState>('waiting');
  readonly progress = signal<UploadProgress | undefined>(undefined);
  readonly location = signal<PhotoLocation | undefined>(undefined);
  readonly error = signal<string | undefined>(undefined);
  /** Of the file, once its bytes have arrived: then there is nothing to send again. */
  readonly fileId = signal<string | undefined>(undefined);
  readonly isOver = computed(() => ['ready', 'failed', 'cancelled'].includes(this.state()));
  readonly percent = computed(() => {
    const progress = this.progress();
    return progress === undefined || progress.bytesTotal === 0 ? 0 : (100 * progress.bytesSent) / progress.bytesTotal;
  });
  /** Gives up what is running. */
  stop = new AbortController();
  readonly file: File;
  readonly reportId: string;
  readonly consentLocation: boolean;

  constructor(file: File, reportId: string, consentLocation: boolean) {
    this.file = file;
    this.reportId = reportId;
    this.consentLocation = consentLocation;
  }
}
