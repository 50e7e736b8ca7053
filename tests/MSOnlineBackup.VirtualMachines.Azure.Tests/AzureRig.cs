using Azure.Core;
using Azure.Core.Pipeline;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Images;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.VirtualMachines.Azure.Machines;
using MSOnlineBackup.VirtualMachines.Azure.Management;
using MSOnlineBackup.VirtualMachines.Backups;
using MSOnlineBackup.VirtualMachines.Machines;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Azure.Tests;

/// <summary>A machine in a double of Azure, and a vault for it.</summary>
internal sealed class AzureRig : IDisposable
{
    public const long Size = 12 << 20;
    private const string Passphrase = "a passphrase for tests";

    private readonly TempFolder _folder = new();
    private readonly MemoryVaultStore _vault = new(TimeProvider.System);
    private readonly VaultOptions _options = new() { KeyDerivationIterations = 1000 };
    private readonly HttpClient _client;

    public AzureRig()
    {
        Assert.SkipUnless(AzuriteServer.IsAvailable, AzuriteServer.Missing);
        Azure = new AzureDouble();
        _client = new HttpClient(Azure) { Timeout = Timeout.InfiniteTimeSpan };
        Access = new AzureAccess(
            new Uri($"https://{AzureDouble.Manager}/"), new FixedCredential(), new HttpClientTransport(_client), new AzurePace { Retries = 3, RetryDelay = TimeSpan.FromMilliseconds(1), LongestRetryDelay = TimeSpan.FromMilliseconds(2), PollDelay = TimeSpan.Zero });
        System = Azure.Attach(null, "vm1-os", Size);
        Data = Azure.Attach(0, "vm1-data", Size);
    }

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public AzureDouble Azure { get; }

    public AzureAccess Access { get; }

    /// <summary>The address of the disk "os".</summary>
    public string System { get; }

    /// <summary>The address of the disk "lun0".</summary>
    public string Data { get; }

    /// <summary>What the last backup has said.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>What the last backup could not take out.</summary>
    public List<BackupException> Reports { get; } = [];

    public int PointsInVault => _vault.Names.Count(name => name.Contains("/points/", StringComparison.Ordinal));

    /// <summary>How many MiB of disks were read.</summary>
    public static long ReadOf(MachineBackupResult backup) => backup.Backup.ReadBytes >> 20;

    public static byte[] Bytes(byte pattern, int length)
    {
        byte[] bytes = new byte[length];
        bytes.AsSpan().Fill(pattern);
        return bytes;
    }

    public MomentOptions Moment() => new() { WorkFolder = _folder.Path, Report = Reports.Add };

    public async Task<MachineBackupResult> BackUpAsync(Func<MachineBackupRequest, MachineBackupRequest>? change = null)
    {
        Notes.Clear();
        Reports.Clear();
        await using AzureMachine machine = await AzureMachine.ConnectAsync(AzureDouble.Machine, Access, Stop);
        var request = new MachineBackupRequest { Backup = new BackupRequest { MachineName = "vm1", Sources = [] }, Moment = Moment() };
        return await MachineBackup.RunAsync(await UnlockAsync(), machine, change?.Invoke(request) ?? request, new JobMonitor { Noted = Notes.Add }, Stop);
    }

    /// <summary>The bytes of a disk in a point.</summary>
    public async Task<byte[]> ReadAsync(MachineBackupResult backup, string disk)
    {
        using DiskBytes bytes = await OpenAsync(backup, disk);
        byte[] content = new byte[bytes.Length];
        await bytes.ReadAsync(0, content, Stop);
        return content;
    }

    public async Task<DiskBytes> OpenAsync(MachineBackupResult backup, string disk) =>
        await (await (await UnlockAsync()).IndexAsync(Stop)).OpenDiskBytesAsync(backup.Backup.Point, disk, Stop);

    /// <summary>Compares the disks of a point with those of the machine, which are as they were.</summary>
    public async Task AssertIsAsync(MachineBackupResult backup, params (string Name, string Id)[] disks)
    {
        foreach ((string name, string id) in disks)
        {
            byte[] content = await ReadAsync(backup, name);
            Assert.True(Azure.Read(id).AsSpan().SequenceEqual(content), name);
        }
    }

    /// <summary>Nothing is open, and there is no restore point but the base.</summary>
    public void AssertClean(int points = 1)
    {
        Assert.Empty(Azure.Open);
        Assert.Equal(points, Azure.Points.Length);
        Assert.Empty(Reports);
    }

    public void Dispose()
    {
        _client.Dispose();
        _folder.Dispose();
    }

    private async Task<UnlockedVault> UnlockAsync()
    {
        if (_vault.Names.Count == 0)
        {
            await Vault.CreateAsync(_vault, Passphrase, _options, Stop, new KeptOwner().Keep);
        }

        return await TestVault.UnlockAsync(_vault, Passphrase, _options, Stop);
    }

    private sealed class FixedCredential : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            Assert.Equal(["https://management.azure.com/.default"], requestContext.Scopes);
            return new AccessToken(AzureDouble.Token, new DateTimeOffset(2200, 1, 1, 0, 0, 0, TimeSpan.Zero));
        }

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) => new(GetToken(requestContext, cancellationToken));
    }
}
