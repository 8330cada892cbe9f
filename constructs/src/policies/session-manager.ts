import { allow, type Statement } from '../policy-document';

/**
 * What the agent on a host needs for Session Manager, and nothing else (Systems Manager User Guide, "Create a custom
 * IAM role for Session Manager"). The managed policy AmazonSSMManagedInstanceCore would let the host read every
 * parameter of the account. Just the first has a resource to name: the host, which isn't there when the role is made.
 */
export function sessionManagerStatements(): Statement[] {
  return [
    allow(
      'SessionManager',
      [
        'ssm:UpdateInstanceInformation',
        'ssmmessages:CreateControlChannel',
        'ssmmessages:CreateDataChannel',
        'ssmmessages:OpenControlChannel',
        'ssmmessages:OpenDataChannel',
      ],
      ['*'],
    ),
  ];
}
