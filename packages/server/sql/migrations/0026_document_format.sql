-- In which format pages of documents are drawn: of thin lines and flat colours PNG is sharper, and often smaller. Deployed
-- civic-os systems have PNG of documents beside JPEG of photographs.

ALTER TABLE storage.variant_presets
  -- NULL for as pictures.
  ADD COLUMN document_format text,
  ADD CONSTRAINT variant_presets_document_format CHECK (
    document_format IS NULL OR document_format IN ('jpeg', 'png', 'webp', 'avif') AND format <> 'stripped'
    AND (document_format <> 'jpeg' OR background <> 'transparent'));
UPDATE storage.variant_presets SET document_format = 'png'
WHERE preset_set = 'civic-os' AND name IN ('small', 'medium', 'large') AND format = 'jpeg';
