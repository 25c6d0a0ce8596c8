"""Serves one emulator on the loopback address until standard input closes: python serve.py NAME PORT.

The test that started it holds the other end of the pipe, so no emulator outlives its test.
"""

import os
import sys
import threading

name, port = sys.argv[1:]

def end_with_the_test():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_the_test, daemon=True).start()


def machines_from_launch_templates():
    """moto reads an AWS::EC2::Instance's image and volumes from the resource alone. A template may leave them to the
    launch template that the resource names; what is missing is filled in from there, and tags go on to the volumes."""
    from moto.ec2.models import ec2_backends
    from moto.ec2.models.instances import Instance

    as_it_was = Instance.create_from_cloudformation_json.__func__

    def create(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        properties = dict(cloudformation_json["Properties"])
        backend = ec2_backends[account_id][region_name]
        named = properties.get("LaunchTemplate")
        data = {}
        if named:
            template = backend.launch_templates[named["LaunchTemplateId"]]
            data = template.get_version(int(named["Version"])).data
        for field in ("ImageId", "UserData"):
            if field in data:
                properties.setdefault(field, data[field])
        machine = as_it_was(
            cls, resource_name, {"Properties": properties}, account_id, region_name, **kwargs
        )
        for mapping in data.get("BlockDeviceMappings", []):
            disk = mapping["Ebs"]
            machine.add_block_device(
                size=int(disk["VolumeSize"]),
                device_path=mapping["DeviceName"],
                snapshot_id=None,
                encrypted=disk["Encrypted"],
                delete_on_termination=disk["DeleteOnTermination"],
                kms_key_id=None,
                volume_type=disk["VolumeType"],
            )
        if properties.get("PropagateTagsToVolumeOnCreation"):
            tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
            for device in machine.block_device_mapping.values():
                backend.create_tags([device.volume_id], tags)
        return machine

    Instance.create_from_cloudformation_json = classmethod(create)


def stacks_take_route_tables_along():
    """moto forgets route tables and gateways when a stack is deleted, and then refuses to delete their network."""
    from moto.ec2.models import ec2_backends
    from moto.ec2.models.internet_gateways import InternetGateway
    from moto.ec2.models.route_tables import RouteTable

    def delete_routes(self, account_id, region_name):
        ec2_backends[account_id][region_name].route_tables.pop(self.id, None)

    def delete_gateway(self, account_id, region_name):
        ec2_backends[account_id][region_name].internet_gateways.pop(self.id, None)

    RouteTable.delete = delete_routes
    InternetGateway.delete = delete_gateway


if name == "moto":
    from moto.server import main

    machines_from_launch_templates()
    stacks_take_route_tables_along()
    main(["-H", "127.0.0.1", "-p", port])
elif name == "ministack":
    # Its own launcher listens on every interface, as its IoT and SFTP services would.
    os.environ["IOT_MTLS_ENABLED"] = "0"
    os.environ["SFTP_ENABLED"] = "0"
    os.environ["GATEWAY_PORT"] = port
    from hypercorn.__main__ import main

    main(["ministack.app:app", "-b", f"127.0.0.1:{port}", "--workers", "0"])
else:
    sys.exit(f"serve.py: no emulator {name!r}")
