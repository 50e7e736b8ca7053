using MSOnlineBackup.Disks.Lvm;
using MSOnlineBackup.Disks.Tests.Images;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Lvm;

/// <summary>Whatever stands on a physical volume: volumes, or errors of their own, and an end.</summary>
public sealed class LvmDamageTests : IDisposable
{
    private const int Area = 4096;

    private readonly TempFolder _temp = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_altered_physical_volume_gives_volumes_or_errors_with_an_id(bool isSealed)
    {
        byte[] image;
        using (var disks = new LvmDisks(_temp, 8 << 20))
        {
            disks.Run("pvcreate", "--metadatasize", "64k", disks.Devices[0]);
            disks.Run("vgcreate", "-s", "128k", "group", disks.Devices[0]);
            disks.Create("group", "a", 3);
            disks.Create("group", "b", 3);
            disks.Run("lvextend", "-l", "7", "group/a");
            image = await File.ReadAllBytesAsync(disks.Images[0], Cancel);
        }

        var sound = new AlteredContent(image);
        Assert.Equal((2, 0, 0), await TryAsync(sound));
        (long Offset, int Length)[] places = [(512, 512), .. sound.Reads.Where(read => read.Offset is >= Area and < Area + (64 << 10) && read.Length > 0)];
        (int Volumes, int Refused, int Damage) all = default;
        int first = Campaign.FirstSeed(1);
        for (int seed = first; seed < first + Campaign.Rounds(usual: 1000, full: 500_000); seed++)
        {
            try
            {
                using AlteredContent altered = sound.Alter(new Random(seed), places, isSealed ? Seal : null, sealedLength: 8192);
                altered.Budget = 20 << 20;
                (int volumes, int refused, int damage) = await TryAsync(altered);
                all = (all.Volumes + volumes, all.Refused + refused, all.Damage + damage);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seed}", e);
            }
        }

        Assert.True(all.Volumes > 0 && all.Damage > 0 && (!isSealed || all.Refused > 0), $"{all}");
    }

    [Theory]
    [InlineData("a")]
    [InlineData("a =")]
    [InlineData("a = [1")]
    [InlineData("a = \"x")]
    [InlineData("a {")]
    [InlineData("a { } }")]
    [InlineData("a = 1 a = 2")]
    [InlineData("= 1")]
    [InlineData("a {a {a {a {a {a {a {a {a {a {a {}}}}}}}}}}}")]
    public void A_text_that_is_none_is_damage(string text) =>
        Assert.Equal(BackupErrorId.VolumeCorrupt, Assert.Throws<BackupException>(() => LvmText.Parse(text)).Id);

    private static async Task<(int Volumes, int Refused, int Damage)> TryAsync(AlteredContent content)
    {
        int damage = 0;
        try
        {
            List<LogicalVolume> volumes = await LvmPhysicalVolume.ReadAsync(content, Cancel) is LvmPhysicalVolume physical
                ? LvmGroup.Assemble([physical], e => damage++)
                : [];
            foreach (LogicalVolume volume in volumes)
            {
                Assert.True(volume.Content is null ? volume.Error!.Id is BackupErrorId.VolumeCorrupt or BackupErrorId.VolumeUnsupported : volume.Content.Length <= content.Length);
                byte[] bytes = new byte[Math.Min(volume.Content?.Length ?? 0, 1000)];
                await (volume.Content?.ReadAsync(volume.Content.Length - bytes.Length, bytes, Cancel) ?? ValueTask.CompletedTask);
            }

            return (volumes.Count(volume => volume.Content is not null), volumes.Count(volume => volume.Content is null), damage + (volumes.Count == 0 ? 1 : 0));
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VolumeCorrupt)
        {
            return (0, 0, 1);
        }
    }

    // What lies behind the checksums is reached.
    private static void Seal(byte[] image, long offset, int length)
    {
        BitConverter.TryWriteBytes(image.AsSpan(512 + 16), LvmChecksum.Of(image.AsSpan(512 + 20, 492)));
        long at = BitConverter.ToInt64(image, Area + 40);
        long size = BitConverter.ToInt64(image, Area + 48);
        if (at is > 0 and < 60_000 && size is > 0 and < 4000)
        {
            BitConverter.TryWriteBytes(image.AsSpan(Area + 56), LvmChecksum.Of(image.AsSpan(Area + (int)at, (int)size)));
        }

        BitConverter.TryWriteBytes(image.AsSpan(Area), LvmChecksum.Of(image.AsSpan(Area + 4, 508)));
    }
}
