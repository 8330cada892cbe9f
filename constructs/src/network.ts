import { DefaultSecurityGroup } from '@cdktf/provider-aws/lib/default-security-group';
import { InternetGateway } from '@cdktf/provider-aws/lib/internet-gateway';
import { Route } from '@cdktf/provider-aws/lib/route';
import { RouteTable } from '@cdktf/provider-aws/lib/route-table';
import { RouteTableAssociation } from '@cdktf/provider-aws/lib/route-table-association';
import { Subnet } from '@cdktf/provider-aws/lib/subnet';
import { Vpc } from '@cdktf/provider-aws/lib/vpc';
import type { ITerraformDependable } from 'cdktf';
import { Construct } from 'constructs';
import { literal } from './literal';

export type NetworkProps =
  | {
      existing: {
        vpcId: string;
        subnetId: string;
        /** Whether hosts get a public address. @default - the subnet's own setting */
        publicAddress?: boolean;
      };
    }
  | {
      /** Name tag of what is made. */
      name: string;
      /** IPv4 range of the VPC; its one public subnet takes all of it. */
      newWithCidr: string;
      tags?: Record<string, string>;
    };

/** Where Docker hosts stand: a VPC and subnet that exist, or a new VPC with one public subnet and an internet gateway. */
export class Network extends Construct {
  readonly vpcId: string;
  readonly subnetId: string;
  readonly publicAddress: boolean | undefined;
  /** What must stand before a host in it reaches the internet. */
  readonly waysOut: ITerraformDependable[] = [];

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    const plan = literal(props);
    if ('existing' in plan) {
      this.vpcId = plan.existing.vpcId;
      this.subnetId = plan.existing.subnetId;
      this.publicAddress = plan.existing.publicAddress;
      return;
    }
    const tags = { ...plan.tags, Name: plan.name };
    const vpc = new Vpc(this, 'vpc', {
      cidrBlock: plan.newWithCidr,
      enableDnsSupport: true,
      enableDnsHostnames: true,
      tags,
    });
    // A VPC's default group lets its members talk to each other: emptied, since nothing here uses it.
    new DefaultSecurityGroup(this, 'default-group', { vpcId: vpc.id, tags });
    const gateway = new InternetGateway(this, 'gateway', { vpcId: vpc.id, tags });
    const subnet = new Subnet(this, 'subnet', {
      vpcId: vpc.id,
      cidrBlock: plan.newWithCidr,
      mapPublicIpOnLaunch: true,
      tags,
    });
    const routes = new RouteTable(this, 'routes', { vpcId: vpc.id, tags });
    const route = new Route(this, 'to-internet', {
      routeTableId: routes.id,
      destinationCidrBlock: '0.0.0.0/0',
      gatewayId: gateway.id,
    });
    const association = new RouteTableAssociation(this, 'association', {
      subnetId: subnet.id,
      routeTableId: routes.id,
    });
    this.waysOut = [route, association];
    this.vpcId = vpc.id;
    this.subnetId = subnet.id;
  }
}
