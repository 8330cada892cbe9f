import type { Check } from './check';
import { argumentIs } from './looks';

const REPOSITORY = ['aws_ecr_repository'];

export const ecrChecks: readonly Check[] = [
  {
    id: 'CKV_AWS_51',
    asks: "An image's tag never moves to another image.",
    on: REPOSITORY,
    look: argumentIs('image_tag_mutability', 'IMMUTABLE'),
  },
  {
    id: 'CKV_AWS_136',
    asks: 'Images are encrypted with a KMS key.',
    on: REPOSITORY,
    look: argumentIs('encryption_configuration.encryption_type', 'KMS', 'KMS_DSSE'),
  },
  {
    id: 'CKV_AWS_163',
    asks: 'Images are scanned when they are pushed.',
    on: REPOSITORY,
    look: argumentIs('image_scanning_configuration.scan_on_push', true),
  },
];
