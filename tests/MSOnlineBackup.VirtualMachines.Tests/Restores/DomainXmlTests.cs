using System.Text;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Restores;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Restores;

/// <summary>Definitions of new machines.</summary>
public sealed class DomainXmlTests
{
    private const string Given = """
        <domain type='kvm' id='7'>
          <name>vm1</name>
          <uuid>11111111-2222-3333-4444-555555555555</uuid>
          <memory unit='KiB'>1048576</memory>
          <os>
            <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
            <loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE.fd</loader>
            <nvram template='/usr/share/OVMF/OVMF_VARS.fd'>/var/lib/libvirt/qemu/nvram/vm1_VARS.fd</nvram>
          </os>
          <devices>
            <emulator>/usr/bin/qemu-system-x86_64</emulator>
            <disk type='volume' device='disk'>
              <driver name='qemu' type='raw'/>
              <source pool='default' volume='vm1.img'/>
              <backingStore/>
              <target dev='vda' bus='virtio'/>
              <alias name='virtio-disk0'/>
            </disk>
            <disk type='file' device='disk'>
              <source file='/srv/scratch.raw'/>
              <target dev='vdb' bus='virtio'/>
            </disk>
            <disk type='file' device='cdrom'>
              <source file='/srv/install.iso'/>
              <target dev='sda' bus='sata'/>
            </disk>
            <interface type='network'>
              <mac address='52:54:00:aa:bb:cc'/>
              <source network='default'/>
              <target dev='vnet3'/>
              <model type='virtio'/>
            </interface>
          </devices>
          <seclabel type='dynamic'/>
        </domain>
        """;

    [Fact]
    public void A_definition_of_another_machine_gets_another_name_identity_disks_and_network()
    {
        (string xml, IReadOnlyList<string> removed) = DomainXml.Edit(Encoding.UTF8.GetBytes(Given), Machine(null, hasVariables: true), () => "52:54:00:00:00:01");

        Assert.Equal(["vdb"], removed);
        Assert.Equal(
            """
            <domain type="kvm">
              <name>vm1-new</name>
              <uuid>99999999-2222-4333-8444-555555555555</uuid>
              <memory unit="KiB">1048576</memory>
              <os>
                <type arch="x86_64" machine="pc-q35-7.2">hvm</type>
                <loader readonly="yes" type="pflash">/usr/share/OVMF/OVMF_CODE.fd</loader>
                <nvram template="/usr/share/OVMF/OVMF_VARS.fd">/srv/new/vm1-new.nvram.fd</nvram>
              </os>
              <devices>
                <disk type="file" device="disk">
                  <driver name="qemu" type="qcow2" />
                  <source file="/srv/new/vm1-new-vda.qcow2" />
                  <target dev="vda" bus="virtio" />
                </disk>
                <disk type="file" device="cdrom">
                  <target dev="sda" bus="sata" />
                </disk>
                <interface type="user">
                  <mac address="52:54:00:00:00:01" />
                  <model type="virtio" />
                  <link state="down" />
                </interface>
              </devices>
            </domain>

            """.ReplaceLineEndings("\n"),
            xml);
    }

    [Theory]
    [InlineData("<domain><devices/></domain>")]
    [InlineData("<network/>")]
    [InlineData("<domain>")]
    [InlineData("<!DOCTYPE domain [<!ENTITY a 'b'>]><domain><devices/>&a;</domain>")]
    public void What_is_no_definition_of_these_disks_is_refused(string xml) =>
        Assert.Equal(BackupErrorId.MachinePointUnfit, Assert.Throws<BackupException>(() => DomainXml.Edit(Encoding.UTF8.GetBytes(xml), Machine(null), () => "")).Id);

    [Fact]
    public void A_definition_is_made_of_what_is_known_of_the_hardware()
    {
        var hardware = new MachineHardware
        {
            Architecture = "x86_64",
            Machine = "pc-q35-7.2",
            Processors = 2,
            MemoryBytes = 512 << 20,
            Firmware = FirmwareKind.Uefi,
            FirmwareFile = "/usr/share/OVMF/OVMF_CODE.fd",
            DiskDevices = new Dictionary<string, string> { ["vda"] = "scsi-hd" },
            Cards = [new MachineCard("e1000", "52:54:00:aa:bb:cc")],
        };

        Assert.Equal(
            """
            <domain type="kvm">
              <name>vm1-new</name>
              <uuid>99999999-2222-4333-8444-555555555555</uuid>
              <memory unit="MiB">512</memory>
              <vcpu>2</vcpu>
              <os>
                <type arch="x86_64" machine="pc-q35-7.2">hvm</type>
                <loader readonly="yes" type="pflash">/usr/share/OVMF/OVMF_CODE.fd</loader>
                <nvram>/srv/new/vm1-new.nvram.fd</nvram>
              </os>
              <features>
                <acpi />
              </features>
              <devices>
                <disk type="file" device="disk">
                  <driver name="qemu" type="qcow2" discard="unmap" />
                  <source file="/srv/new/vm1-new-vda.qcow2" />
                  <target dev="sda" bus="scsi" />
                  <serial>S1</serial>
                  <boot order="1" />
                </disk>
                <controller type="scsi" index="0" model="virtio-scsi" />
                <interface type="user">
                  <mac address="52:54:00:00:00:02" />
                  <model type="e1000" />
                  <link state="down" />
                </interface>
                <graphics type="vnc" autoport="yes" />
                <video>
                  <model type="vga" />
                </video>
              </devices>
            </domain>

            """.ReplaceLineEndings("\n"),
            DomainXml.Create(Machine(hardware, hasVariables: true)));
        Assert.Equal(
            """
            #!/bin/sh
            # Starts the machine under QEMU. What is given to this script goes to QEMU: ./vm1-new.sh -display none -S
            cd "$(dirname "$0")" || exit 1
            exec qemu-system-x86_64 \
              -name 'vm1-new' -uuid 99999999-2222-4333-8444-555555555555 \
              -machine pc-q35-7.2 -accel kvm -accel tcg \
              -m 512 -smp 2 \
              -nodefaults -vga std \
              -drive 'if=pflash,unit=0,readonly=on,format=raw,file=/usr/share/OVMF/OVMF_CODE.fd' \
              -drive 'if=pflash,unit=1,format=raw,file=vm1-new.nvram.fd' \
              -device virtio-scsi-pci,id=scsi0 \
              -drive 'if=none,id=disk0,format=qcow2,discard=unmap,file=vm1-new-vda.qcow2' \
              -device 'scsi-hd,bus=scsi0.0,drive=disk0,bootindex=1,serial=S1' \
              -device e1000,mac=52:54:00:00:00:02 \
              "$@"

            """.ReplaceLineEndings("\n"),
            StartScript.Write(Machine(hardware, hasVariables: true)));
    }

    [Theory]
    [InlineData("none", "none", null)]
    [InlineData("User", "user", null)]
    [InlineData("br0", "br0", "br0")]
    [InlineData("br0,id=x", null, null)]
    public void A_network_is_none_user_or_a_bridge(string text, string? read, string? bridge) =>
        Assert.Equal((read, bridge), (MachineNetwork.Parse(text)?.Text, MachineNetwork.Parse(text)?.Bridge));

    private static NewMachine Machine(MachineHardware? hardware, bool hasVariables = false) => new(
        "vm1-new",
        "99999999-2222-4333-8444-555555555555",
        "/srv/new",
        "qcow2",
        MachineNetwork.None,
        new MachineDescription("vm1", null, "off", [new MachineDisk("vda", "disks/vda.raw", "S1", 1 << 20, "raw", null, IsReadOnly: false)], []) { Hardware = hardware },
        ["52:54:00:00:00:02"],
        hasVariables);
}
