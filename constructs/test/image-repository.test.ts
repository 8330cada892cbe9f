import { ImageRepository, type ImageRepositoryProps } from '../src/image-repository';
import { synthesized } from './synthesized';

const repository = (props: Partial<ImageRepositoryProps> = {}) =>
  synthesized((stack) => new ImageRepository(stack, 'r', { name: 'kantox-api', ...props }));

test('tags never move, images are scanned when they come and encrypted with KMS', () => {
  expect(repository().the('aws_ecr_repository')).toMatchObject({
    name: 'kantox-api',
    image_tag_mutability: 'IMMUTABLE',
    image_scanning_configuration: { scan_on_push: true },
    encryption_configuration: [{ encryption_type: 'KMS' }],
  });
});

test('is not deleted while it holds images', () => {
  expect(repository().the('aws_ecr_repository').force_delete).toBe(false);
});

test.each([
  [undefined, 5],
  [20, 20],
])('asked to keep %s images it keeps the last %d, and untagged ones for a week', (keepLastImages, kept) => {
  const stack = repository(keepLastImages === undefined ? {} : { keepLastImages });
  const body = stack.the('aws_ecr_lifecycle_policy');
  expect(body.repository).toBe(stack.reference('aws_ecr_repository', 'name'));
  const { rules } = JSON.parse(String(body.policy)) as { rules: { selection: object; action: object }[] };
  expect(rules.map(({ selection }) => selection)).toEqual([
    { tagStatus: 'untagged', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 7 },
    // Each counted by its tag: of an image for several platforms the parts have none.
    { tagStatus: 'tagged', tagPatternList: ['*'], countType: 'imageCountMoreThan', countNumber: kept },
  ]);
  expect(rules.map(({ action }) => action)).toEqual([{ type: 'expire' }, { type: 'expire' }]);
});

test('carries the tags that are given', () => {
  expect(repository({ tags: { Team: 'platform' } }).the('aws_ecr_repository').tags).toEqual({
    Team: 'platform',
  });
});
