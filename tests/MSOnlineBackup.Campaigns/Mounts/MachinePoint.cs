using System.Security.Cryptography;
using MSOnlineBackup.Campaigns.Disks;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Mounts;

/// <summary>A disk that starts by itself, in a point alone: it was backed up by the program, and then it was deleted.</summary>
public sealed class MachinePoint : IAsyncLifetime
{
    private readonly Obengine _obengine = new();
    private string? _missing;

    /// <summary>The vault's folder.</summary>
    public string Vault => _obengine.Vault;

    /// <summary>A folder for tests.</summary>
    public TempFolder Folder => _obengine.Folder;

    /// <summary>The disk's full path, where nothing is any more.</summary>
    public string Image => Path.Combine(_obengine.Source, "disk.raw");

    /// <summary>The disk's SHA-256.</summary>
    public string Hash { get; private set; } = "";

    /// <summary>The SHA-256 of its /srv/known, which it reads as it starts.</summary>
    public string Known { get; private set; } = "";

    /// <summary>The SHA-256 of its /srv/late, which it does not.</summary>
    public string Late { get; private set; } = "";

    /// <summary>Makes the disk and the point, where guests are asked for.</summary>
    public async ValueTask InitializeAsync()
    {
        _missing = await GuestSystem.FindMissingAsync("qemu-img", "qemu-io", "nbdcopy");
        if (_missing is not null)
        {
            return;
        }

        Known = await MakeAsync("known", 3_000_000);
        Late = await MakeAsync("late", 20_000_000);
        Directory.CreateDirectory(_obengine.Source);
        Run made = await GuestSystem.RunAsync(GuestSystem.Script("disk.sh"), Image, Folder["srv"]);
        Assert.True(made.ExitCode == 0, made.ToString());
        Hash = await HashAsync(Image);

        await _obengine.CreateVaultAsync();
        Assert.Equal(0, (await _obengine.OnVaultAsync("backup", "--quiet", _obengine.Source)).ExitCode);
        File.Delete(Image);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _obengine.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Skips the test where there is no guest.</summary>
    public void Require() => Assert.SkipWhen(_missing is not null, _missing ?? "");

    /// <summary>Serves the disk.</summary>
    internal Task<ServedDisk> ServeAsync(params string[] options) => ServedDisk.WaitAsync(
        _obengine.Start(["serve", "nbd", "latest", Image, "--json", "--vault", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile, .. options]));

    /// <summary>Restores the disk, and gives where it is.</summary>
    public async Task<string> RestoreAsync()
    {
        Assert.Equal(0, (await _obengine.OnVaultAsync("restore", "--quiet", "latest", Image, "--to", Folder["restored"])).ExitCode);
        return Folder["restored"] + Image;
    }

    /// <summary>The SHA-256 of a file.</summary>
    public static async Task<string> HashAsync(string path)
    {
        await using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, TestContext.Current.CancellationToken));
    }

    private async Task<string> MakeAsync(string name, int length)
    {
        string path = Folder["srv", name];
        Directory.CreateDirectory(Folder["srv"]);
        byte[] data = new byte[length];
        new Random(length).NextBytes(data);
        await File.WriteAllBytesAsync(path, data);
        return await HashAsync(path);
    }
}
