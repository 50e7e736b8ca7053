using System.Security.Cryptography;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Backups;
using MSOnlineBackup.VirtualMachines.Images;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Restores;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Restores;

/// <summary>A vault with recovery points of machines, and a folder.</summary>
internal sealed class RestoreFixture : IAsyncDisposable
{
    private const string Passphrase = "a passphrase for tests";

    private readonly VaultOptions _options = new() { KeyDerivationIterations = 1000 };
    private UnlockedVault? _vault;

    public TempFolder Folder { get; } = new();

    public MemoryVaultStore Store { get; } = new(TimeProvider.System);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Bytes of a disk: half of them random, the others never written.</summary>
    public static byte[] Content(int megabytes)
    {
        byte[] bytes = new byte[megabytes << 20];
        RandomNumberGenerator.Fill(bytes.AsSpan(0, bytes.Length / 2));
        return bytes;
    }

    public async Task<UnlockedVault> UnlockAsync()
    {
        if (Store.Names.Count == 0)
        {
            await Vault.CreateAsync(Store, Passphrase, _options, Stop, new KeptOwner().Keep);
        }

        return _vault ??= await TestVault.UnlockAsync(Store, Passphrase, _options, Stop);
    }

    public async Task<RecoveryPoint> BackUpAsync(IVirtualMachine machine)
    {
        var request = new MachineBackupRequest { Backup = new BackupRequest { MachineName = "vm1", Sources = [] }, Moment = new MomentOptions { WorkFolder = Folder.Path } };
        return (await MachineBackup.RunAsync(await UnlockAsync(), machine, request, new JobMonitor(), Stop)).Backup.Point;
    }

    public Task<RecoveryPoint> BackUpAsync(params string[] images) =>
        BackUpAsync(new OfflineMachine("vm1", [.. images.Select(image => new MachineImage(Path.GetFileNameWithoutExtension(image), Folder[image], Path.GetExtension(image)[1..]))]));

    public async Task<MachinePoint> OpenAsync(RecoveryPoint point) => await MachinePoint.OpenAsync(await (await UnlockAsync()).IndexAsync(Stop), point, Stop);

    public ValueTask DisposeAsync()
    {
        _vault?.Dispose();
        Folder.Dispose();
        return ValueTask.CompletedTask;
    }
}
