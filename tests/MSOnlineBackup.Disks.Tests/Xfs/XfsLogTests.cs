using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Tests.Images;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Disks.Xfs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Xfs;

/// <summary>Images of file systems that were in use, as a crash leaves them, compared with a mount of a copy, which recovers the log.</summary>
public sealed class XfsLogTests : IDisposable
{
    private const int MostAttempts = 5;

    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData("", "loop", true)]
    [InlineData("-m bigtime=0,reflink=0,rmapbt=0,finobt=0 -i nrext64=0,sparse=0", "loop,logbsize=32k", false)]
    [InlineData("-b size=1024 -m rmapbt=1 -i nrext64=1,sparse=1", "loop,logbsize=256k", true)]
    [InlineData("-s size=4096 -n size=8192 -i size=1024 -l su=65536,version=2", "loop,logbsize=64k", false)]
    public async Task What_is_read_is_what_recovery_would_show(string options, string mounting, bool isFlushed)
    {
        // The system may bring everything to its place before the file system is stopped. Then all is right, and nothing was tried.
        bool wasTried = false;
        for (int attempt = 0; attempt < MostAttempts && !wasTried; attempt++)
        {
            wasTried = await IsAsRecoveredAsync(Crash(options, mounting, isFlushed));
        }

        Assert.True(wasTried, "The log had nothing that was not in its place.");
    }

    [Fact]
    public async Task Altered_logs_give_items_or_errors_with_an_id()
    {
        byte[] image = await File.ReadAllBytesAsync(Crash("-b size=1024", "loop", isFlushed: true, rounds: 1, names: 40, size: 32 << 20), TestContext.Current.CancellationToken);
        var sound = new AlteredContent(image);
        (int items, int errors) = await ReadVolume.TryAllAsync(() => OpenOrNoneAsync(sound), int.MaxValue);
        Assert.True(items >= 40 && errors == 0, $"{items} {errors}");

        // Where the log lies, and was written.
        (long start, long length) = LogOf(image);
        (long Offset, int Length)[] places = [.. Enumerable.Range(0, (int)(length / 512)).Select(i => (start + (i * 512L), 512)).Where(place => image.AsSpan((int)place.Item1, 512).ContainsAnyExcept((byte)0))];
        (int Items, int Told) all = (0, 0);
        int first = Campaign.FirstSeed(1);
        for (int seed = first; seed < first + Campaign.Rounds(usual: 60, full: 20_000); seed++)
        {
            try
            {
                using AlteredContent altered = sound.Alter(new Random(seed), places, Seal);
                altered.Budget = (sound.Read * 20) + (200 << 20);
                (int count, _) = await ReadVolume.TryAllAsync(() => OpenOrNoneAsync(altered), 200_000);
                IFileVolume? volume = null;
                try
                {
                    volume = await OpenOrNoneAsync(altered);
                }
                catch (BackupException)
                {
                    // Told below as one whose superblock or root cannot be read.
                }

                all = (all.Items + count, all.Told + (volume?.Note is null ? 0 : 1));
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seed}", e);
            }
        }

        Assert.True(all.Items > 0 && all.Told > 0, $"{all}");

        // Right checksums let what lies behind them be reached.
        void Seal(byte[] bytes, long offset, int count) => SealRecord(bytes, start, offset);
    }

    // Makes the checksum of the record right in which a sector is; those of more than 32 KiB stay wrong.
    private static void SealRecord(byte[] image, long start, long offset)
    {
        for (long at = offset; at >= start; at -= 512)
        {
            Span<byte> record = image.AsSpan((int)at);
            if (record[..4].SequenceEqual(new byte[] { 0xFE, 0xED, 0xBA, 0xBE }))
            {
                int length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(record[12..]);
                if (length is >= 0 and <= 32 << 10 && length + 512 <= record.Length)
                {
                    byte[] summed = [.. record[..328], .. record.Slice(512, length)];
                    BitConverter.TryWriteBytes(record[32..], XfsChecksum.Of(summed, 32));
                }

                return;
            }
        }
    }

    private static (long Start, long Length) LogOf(byte[] image)
    {
        XfsSuperblock superblock = XfsSuperblock.Decode(image.AsSpan(0, XfsSuperblock.MaxLength));
        return (superblock.OffsetOf(superblock.Log, superblock.LogBlocks), (long)superblock.LogBlocks * superblock.BlockSize);
    }

    // Whether it is another one without its log.
    private async Task<bool> IsAsRecoveredAsync(string copy)
    {
        Shell.RunChecked("cp", "--sparse=always", copy, _temp["recovered"]);
        using var content = new ImageFile(copy);
        IFileVolume volume = await OpenAsync(content);
        Assert.True(volume.Note is null, volume.Note);
        SortedDictionary<string, SystemTree.Seen> read = await SystemTree.ReadAsync(volume);
        SortedDictionary<string, SystemTree.Seen>? expected = null;
        XfsImage.Use(_temp["recovered"], folder => expected = SystemTree.Read(folder));

        SystemTree.AssertSame(expected!, read);
        Assert.Contains("last/number 2", read.Keys);

        // With its log said to be elsewhere, the file system is read as it stands.
        byte[] image = await File.ReadAllBytesAsync(copy, TestContext.Current.CancellationToken);
        image.AsSpan(48, 8).Clear();
        int sector = System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(image.AsSpan(102));
        BitConverter.TryWriteBytes(image.AsSpan(224), XfsChecksum.Of(image.AsSpan(0, sector), 224));
        try
        {
            SortedDictionary<string, SystemTree.Seen> stale = await SystemTree.ReadAsync(await OpenAsync(new AlteredContent(image)));
            return !read.SequenceEqual(stale);
        }
        catch (BackupException e)
        {
            Assert.Equal(BackupErrorId.VolumeCorrupt, e.Id);
            return true;
        }
    }

    private static async Task<IFileVolume> OpenAsync(IDiskContent content) => (await OpenOrNoneAsync(content))!;

    private static async Task<IFileVolume?> OpenOrNoneAsync(IDiskContent content) =>
        (await XfsVolume.ProbeAsync(content, "the disk", TestContext.Current.CancellationToken))?.RequireFiles();

    // What was written and is on the disk, what is in the log only, and what was not yet written; then the system stops writing at once.
    private string Crash(string options, string mounting, bool isFlushed, int rounds = 3, int names = 250, long size = 100 << 20)
    {
        string image = XfsImage.Create(_temp["xfs"], size, options.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        string root = Directory.CreateDirectory(_temp["mount"]).FullName;
        Assert.SkipUnless(Shell.IsLinuxRoot && MountedFileSystem.CanMake("xfs"), "Needs root on Linux, and a kernel with XFS.");
        using MountedFileSystem mounted = MountedFileSystem.Again(image, root, mounting);
        string At(params string[] parts) => Path.Combine([root, .. parts]);
        Directory.CreateDirectory(At("last"));
        for (int round = 0; round < rounds; round++)
        {
            string some = Directory.CreateDirectory(At($"round {round}")).FullName;
            for (int i = 0; i < names; i++)
            {
                File.WriteAllText(Path.Combine(some, $"a name that is somewhat longer {i:D5}"), i % 3 == 0 ? $"{round} {i}" : "");
            }

            File.CreateSymbolicLink(Path.Combine(some, "short"), "target");
            File.CreateSymbolicLink(Path.Combine(some, "long"), new string('t', 200) + "/" + new string('u', 700));
            Shell.RunChecked("ln", Path.Combine(some, "a name that is somewhat longer 00000"), Path.Combine(some, "linked"));
            Shell.RunChecked("sync", "-f", root);

            // Names are moved over others, folders shrink and go, and their blocks and inodes are used again.
            for (int i = 0; i + 1 < names; i += 5)
            {
                File.Move(Path.Combine(some, $"a name that is somewhat longer {i:D5}"), Path.Combine(some, $"a name that is somewhat longer {i + 1:D5}"), overwrite: true);
            }

            if (round == 0 && rounds > 1)
            {
                Directory.Delete(some, recursive: true);
            }

            string number = At($"number {round}");
            using (FileStream scattered = File.Create(number))
            {
                for (int i = 0; i < 60; i++)
                {
                    scattered.Position = i * 16_384;
                    scattered.Write(new byte[] { 1, 2, (byte)i });
                }

                scattered.Flush(flushToDisk: true);
                scattered.SetLength(50 * 16_384);
            }

            Shell.RunChecked("xfs_io", "-c", "falloc 0 300000", "-c", "pwrite -q 5000 20", "-c", "fsync", number);
            if (Shell.Run("cp", "--reflink=always", number, number + " shared").ExitCode == 0)
            {
                Shell.RunChecked("xfs_io", "-c", "pwrite -q 20000 9000", "-c", "fsync", number);
            }

            File.Move(number, At("last", $"number {round + (3 - rounds)}"));
            Shell.RunChecked("sync", At("last"));
        }

        File.WriteAllText(At("not yet"), "written");
        Shell.RunChecked("xfs_io", "-x", "-c", isFlushed ? "shutdown -f" : "shutdown", root);
        Shell.RunChecked("cp", "--sparse=always", image, _temp["copy"]);
        return _temp["copy"];
    }
}
