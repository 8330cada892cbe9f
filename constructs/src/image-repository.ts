import { EcrLifecyclePolicy } from '@cdktf/provider-aws/lib/ecr-lifecycle-policy';
import { EcrRepository } from '@cdktf/provider-aws/lib/ecr-repository';
import { Construct } from 'constructs';
import { literal } from './literal';

export interface ImageRepositoryProps {
  name: string;
  /** @default 5 */
  keepLastImages?: number;
  tags?: Record<string, string>;
}

/** Days that an image without a tag stays: long enough for a push that is under way to set its tag. */
const UNTAGGED_DAYS = 7;

/** An ECR repository: tags never move, images are scanned when pushed and encrypted, old ones go. Never deleted while it holds images. */
export class ImageRepository extends Construct {
  constructor(scope: Construct, id: string, props: ImageRepositoryProps) {
    super(scope, id);
    const { name, keepLastImages = 5, tags } = literal(props);
    const repository = new EcrRepository(this, 'repository', {
      name,
      imageTagMutability: 'IMMUTABLE',
      imageScanningConfiguration: { scanOnPush: true },
      encryptionConfiguration: [{ encryptionType: 'KMS' }],
      forceDelete: false,
      ...(tags && { tags }),
    });
    new EcrLifecyclePolicy(this, 'lifecycle', {
      repository: repository.name,
      policy: JSON.stringify({
        rules: [
          {
            rulePriority: 1,
            description: `Untagged images go after ${UNTAGGED_DAYS} days`,
            selection: {
              tagStatus: 'untagged',
              countType: 'sinceImagePushed',
              countUnit: 'days',
              countNumber: UNTAGGED_DAYS,
            },
            action: { type: 'expire' },
          },
          {
            rulePriority: 2,
            description: `The last ${keepLastImages} images stay`,
            selection: {
              tagStatus: 'tagged',
              tagPatternList: ['*'],
              countType: 'imageCountMoreThan',
              countNumber: keepLastImages,
            },
            action: { type: 'expire' },
          },
        ],
      }),
    });
  }
}
