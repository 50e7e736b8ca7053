using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Machines;

/// <summary>Logical volumes that a guest made over two of its disks, and wrote to: files are read from its recovery points while it goes on, and after it was killed.</summary>
public sealed class GuestVolumesTests
{
    private const string Name = "volumes";

    // Of volumes that udev does not make nodes for.
    private const string Make =
        "modprobe dm-mod; modprobe xfs; mkdir -p /etc/lvm; echo 'activation { udev_sync = 0 udev_rules = 0 monitoring = 0 }' > /etc/lvm/lvmlocal.conf; "
        + "vgcreate -q data-1 /dev/vdb /dev/vdc && lvcreate -q -y -n home -L 300M data-1 && lvcreate -q -y -n my-xfs -L 320M data-1 && lvextend -q -L 400M data-1/home && vgmknodes "
        + "&& mkfs.ext4 -q /dev/data-1/home && mkfs.xfs -q /dev/data-1/my-xfs && mkdir -p /mnt/home /mnt/xfs && mount /dev/data-1/home /mnt/home && mount /dev/data-1/my-xfs /mnt/xfs";

    [Fact]
    public async Task Files_are_read_from_volumes_over_two_disks_as_the_guest_wrote_them()
    {
        await SteppingGuest.RequireAsync();
        using var obengine = new Obengine();
        TempFolder folder = obengine.Folder;
        await using var made = new SteppingGuest(folder);
        await made.MakeAsync();
        Shell.RunChecked("qemu-img", "create", "-q", "-f", "raw", folder["vdb.raw"], "400M");
        Shell.RunChecked("qemu-img", "create", "-q", "-f", "qcow2", folder["vdc.qcow2"], "512M");
        await using StartedMachine machine = await StartedMachine.StartAsync(
            made.Disk,
            "-name", Name,
            "-qmp", $"unix:{folder["qmp"]},server=on,wait=off",
            "-drive", $"if=none,id=vdb,file={folder["vdb.raw"]},format=raw", "-device", "virtio-blk-pci,drive=vdb",
            "-drive", $"if=none,id=vdc,file={folder["vdc.qcow2"]},format=qcow2", "-device", "virtio-blk-pci,drive=vdc");
        await machine.RunAsync(Make);
        await machine.RunAsync("for at in home xfs; do head -c 60000000 /dev/urandom > /mnt/$at/large; mkdir /mnt/$at/many; for i in $(seq 500); do echo $at $i > /mnt/$at/many/$i; done; done; sync");
        string[] sums = [await SumAsync(machine, "home"), await SumAsync(machine, "xfs")];
        await obengine.CreateVaultAsync();

        await BackUpAsync(obengine, $"qmp:{folder["qmp"]}");
        await machine.RunAsync("echo later > /mnt/home/later; sync /mnt/home/later; rm /mnt/home/large /mnt/xfs/large; sync");

        await AssertSameAsync(obengine, "data-1-home", sums[0]);
        await AssertSameAsync(obengine, "data-1-my-xfs", sums[1]);

        // The next one reads what changed, and its volumes are as they are then, though nothing was held still.
        await BackUpAsync(obengine, $"qmp:{folder["qmp"]}");
        Run later = await OnImageAsync(obengine, "cat", "latest", "vdb:data-1-home:/later");
        Assert.True(later.ExitCode == 0, later.ToString());
        Assert.Equal("later\n", later.Output);
        Run gone = await OnImageAsync(obengine, "cat", "latest", "vdb:data-1-home:/large");
        Assert.NotEqual(0, gone.ExitCode);
    }

    private static Task<string> SumAsync(StartedMachine machine, string at) => machine.RunAsync($"set -o pipefail; (cd /mnt/{at} && busybox find . -type f | busybox sort | busybox xargs sha256sum | sha256sum)");

    private static async Task BackUpAsync(Obengine obengine, string machine)
    {
        Run run = await obengine.RunAsync(["image", "backup", machine, "--work", obengine.Folder.Path, "--vault", obengine.Vault, "--passphrase-file", obengine.PassphraseFile]);
        Assert.True(run.ExitCode == 0, run.ToString());
        TestContext.Current.TestOutputHelper?.WriteLine(run.Output);
    }

    private static Task<Run> OnImageAsync(Obengine obengine, params string[] arguments) =>
        obengine.RunAsync(["image", .. arguments, "--machine", Name, "--vault", obengine.Vault, "--passphrase-file", obengine.PassphraseFile]);

    private static async Task AssertSameAsync(Obengine obengine, string volume, string sum)
    {
        string target = obengine.Folder["out " + volume];
        Run restored = await OnImageAsync(obengine, "restore", "latest", $"vdb:{volume}:/", "--to", target);
        Assert.True(restored.ExitCode == 0, restored.ToString());
        Assert.Equal(sum.Trim(), Shell.RunChecked("bash", "-c", $"set -o pipefail; cd '{target}' && find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum").Trim());
        Directory.Delete(target, recursive: true);
    }
}
