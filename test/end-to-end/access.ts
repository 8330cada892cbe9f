import type { LocalRunAccess } from '../../scripts/local-run';
import { proveAccess } from '../../scripts/proof/prove-access';
import { terraformOutputs } from '../../scripts/terraform';
import { deployed } from './deployed';

let run: LocalRunAccess;
beforeAll(async () => {
  run = await deployed();
});

/** The demo's proofs, here with a qa that is there to be reached. */
describe('who may do what', () => {
  test('is as expected, by real requests', async () => {
    const { minikube_base_credentials: base } = (await terraformOutputs('dev', { env: run.env })) as {
      minikube_base_credentials: Record<string, string>;
    };
    const secret = {
      AWS_ACCESS_KEY_ID: base.access_key_id ?? '',
      AWS_SECRET_ACCESS_KEY: base.secret_access_key ?? '',
      AWS_ROLE_ARN: base.role_arn ?? '',
    };
    const proofs = await proveAccess(run, secret, 'qa');
    expect(proofs.length).toBeGreaterThan(0);
    expect(proofs.filter(({ expected, found }) => expected !== found)).toEqual([]);
  });
});
