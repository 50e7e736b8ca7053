using System.Text;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Images;

/// <summary>A recovery point of a machine, whose disk has a real file system, made and filled by mkfs.ext4.</summary>
internal sealed class DiskFixture : IDisposable
{
    private const int Bytes = 24 << 20;

    private readonly TempFolder _folder = new();

    public DiskFixture()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/sbin/mkfs.ext4"), "Needs mkfs.ext4.");
        Root = Directory.CreateDirectory(_folder["root"]).FullName;
        Directory.CreateDirectory(_folder["root/etc/deep/deeper"]);
        Directory.CreateDirectory(_folder["root/many"]);
        File.WriteAllText(_folder["root/etc/passwd"], "root:x:0:0\n");
        File.WriteAllBytes(_folder["root/etc/deep/random"], RandomBytes(700_000));
        File.WriteAllBytes(_folder["root/etc/deep/deeper/empty"], []);
        File.CreateSymbolicLink(_folder["root/link"], "etc/passwd");
        UnixFile.MakeHardLink(UnixFile.Raw(_folder["root/etc/second"]), UnixFile.Raw(_folder["root/etc/passwd"]));
        UnixFile.SetMode(UnixFile.Raw(_folder["root/etc/passwd"]), 0x1A0);
        for (int i = 0; i < 300; i++)
        {
            File.WriteAllText(_folder[$"root/many/file-{i:000}"], $"{i}");
        }
    }

    /// <summary>What is on the disk.</summary>
    public string Root { get; }

    public BackupFixture Backups { get; } = new();

    public void Dispose()
    {
        Backups.Dispose();
        _folder.Dispose();
    }

    /// <summary>The disk: nothing but a file system.</summary>
    public byte[] MakeDisk()
    {
        string image = _folder["disk"];
        using (FileStream file = File.Create(image))
        {
            file.SetLength(Bytes);
        }

        Shell.RunChecked("/usr/sbin/mkfs.ext4", "-q", "-F", "-d", Root, image);
        return File.ReadAllBytes(image);
    }

    /// <summary>A point of the machine vm1 with this disk as vda, and one without anything known on it as vdb.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="level">What can be relied on.</param>
    public async Task<(IndexedVault Vault, RecoveryPoint Point)> BackUpAsync(byte[] disk, ConsistencyLevel level = ConsistencyLevel.None)
    {
        BackupResult result = await Backups.BackUpAsync(new BackupRequest
        {
            MachineName = BackupFixture.Machine,
            Sources =
            [
                new BackupSource.Composed(
                    "vm1",
                    [
                        new ComposedFile("machine.json", "{}"u8.ToArray()),
                        new ComposedFile("disks/vda.raw", new FakeDisk(disk.Length).Write(0, disk)),
                        new ComposedFile("disks/vdb.raw", new FakeDisk(4 << 20)),
                    ])
                {
                    Consistency = new SourceConsistency(level),
                },
            ],
        });
        return (await (await Backups.OpenAsync()).IndexAsync(Cancel), result.Point);
    }

    /// <summary>An NTFS volume that says that it is in use.</summary>
    public byte[] MakeDiskInUse()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/mkfs.ntfs"), "Needs mkfs.ntfs.");
        string image = _folder["ntfs"];
        using (FileStream file = File.Create(image))
        {
            file.SetLength(Bytes);
        }

        Shell.RunChecked("/usr/sbin/mkfs.ntfs", "-F", "-Q", "-q", "-p", "0", "-H", "16", "-S", "63", image);
        byte[] bytes = File.ReadAllBytes(image);
        int record = bytes.AsSpan().IndexOf(Encoding.Unicode.GetBytes("$Volume"));
        int information = record + bytes.AsSpan(record).IndexOf((byte[])[0x70, 0, 0, 0, 0x28, 0, 0, 0]);

        // The low byte of its flags: dirty.
        bytes[information + 24 + 10] = 1;
        return bytes;
    }

    private static byte[] RandomBytes(int count)
    {
        byte[] bytes = new byte[count];
        new Random(20261201).NextBytes(bytes);
        return bytes;
    }
}
