using System.Collections.Concurrent;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Storage.Azure.Blobs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Campaigns.Networks;

/// <summary>Real jobs into Azurite over networks that delay, lose, tear and refuse: they finish, and what comes back is what went in.</summary>
public sealed class BadNetworkTests : IAsyncLifetime
{
    private const string Passphrase = "a passphrase for tests";
    private const string Machine = "Machine";

    private static readonly Dictionary<string, Func<ProxiedRequest, NetworkFault?>> _networks = new()
    {
        ["Answers are lost"] = FaultProxy.AtRandom(1, 4, new NetworkFault.Loss()),
        ["Requests are reset"] = FaultProxy.AtRandom(
            2, 4, new NetworkFault.Reset(Direction.Request, 0), new NetworkFault.Reset(Direction.Request, 100), new NetworkFault.Reset(
                Direction.Request, 20_000)),
        ["Answers are reset"] = FaultProxy.AtRandom(
            3, 4, new NetworkFault.Reset(Direction.Response, 0), new NetworkFault.Reset(Direction.Response, 20), new NetworkFault.Reset(
                Direction.Response, 2_000)),
        ["Bodies are torn"] = FaultProxy.AtRandom(4, 3, new NetworkFault.TornBody(0), new NetworkFault.TornBody(10), new NetworkFault.TornBody(3_000)),
        ["The store is overloaded for a while"] = request => request.Number % 40 > 25 ? new NetworkFault.Answer(503, "ServerBusy") : null,
        ["The store asks for a second's peace"] = FaultProxy.AtRandom(5, 8, new NetworkFault.Answer(429, "TooManyRequests", TimeSpan.FromSeconds(1))),
        ["The store fails now and then"] = FaultProxy.AtRandom(
            6, 4, new NetworkFault.Answer(500, "InternalError"), new NetworkFault.Answer(500, "OperationTimedOut"), new NetworkFault.Answer(
                408, "RequestTimeout")),
        ["Everything at once"] = FaultProxy.AtRandom(
            7,
            4,
            new NetworkFault.Loss(),
            new NetworkFault.Reset(Direction.Request, 1_000),
            new NetworkFault.Reset(Direction.Response, 500),
            new NetworkFault.TornBody(100),
            new NetworkFault.Answer(503, "ServerBusy", TimeSpan.Zero)),
    };

    private readonly TempFolder _folder = new();
    private FaultProxy _proxy = null!;
    private string _direct = null!;
    private string _throughProxy = null!;

    public static TheoryData<string> Networks { get; } = [.. _networks.Keys];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Source => _folder["source"];

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The trees are made by Linux calls.");
        Assert.SkipUnless(AzuriteServer.IsAvailable, AzuriteServer.Missing);
        _direct = AzuriteServer.Shared.NewContainer();
        _proxy = new FaultProxy(new Uri(AzuriteServer.Shared.Url));
        _throughProxy = $"{_proxy.Url.ToString().TrimEnd('/')}/{_direct[(_direct.LastIndexOf('/') + 1)..]}";
        var tree = new SourceTreeBuilder(Source);
        foreach (int number in Enumerable.Range(0, 60))
        {
            tree.File($"folder-{number % 7}/file-{number}", number * 700);
        }

        tree.File("large", 5 << 20);
        await Vault.CreateAsync(BlobVaultStore.Create(_direct, new VaultConnection()), Passphrase, TestOptions.Quick, Stop);
    }

    public async ValueTask DisposeAsync()
    {
        if (_proxy is not null)
        {
            await _proxy.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public async Task Jobs_finish_with_identical_data(string network)
    {
        var met = new ConcurrentBag<NetworkFault>();
        _proxy.Decide = request =>
        {
            NetworkFault? fault = _networks[network](request);
            if (fault is not null)
            {
                met.Add(fault);
            }

            return fault;
        };

        await BackUpAsync(Store());
        new SourceTreeBuilder(Source).File("folder-3/new", 2 << 20).File("folder-4/file-11", 9_000, seed: 1);
        BackupResult second = await BackUpAsync(Store());

        Assert.Equal(RecoveryPointStatus.Completed, second.Point.Status);
        await AssertRestoresAsync(Store());
        await AssertSoundAsync();
        Assert.True(met.Count > 2, $"The network had {met.Count} faults only.");
    }

    [Fact]
    public async Task Delay_of_each_request_costs_time_only()
    {
        _proxy.Delay = TimeSpan.FromMilliseconds(50);

        await BackUpAsync(Store());

        await AssertRestoresAsync(Store());
    }

    [Fact]
    public async Task A_silence_is_waited_out_and_told_and_the_job_goes_on_by_itself()
    {
        TimeSpan time = Campaign.IsFull ? TimeSpan.FromMinutes(5) : TimeSpan.FromSeconds(2);
        await BackUpAsync(Store());
        new SourceTreeBuilder(Source).File("new", 6 << 20, seed: 2);
        int asked = _proxy.Requests.Count;
        Task silence = Task.CompletedTask;
        _proxy.Decide = request =>
        {
            // In the middle of the job.
            if (request.Number == asked + 8)
            {
                silence = _proxy.FallSilentAsync(time);
            }

            return null;
        };
        var monitor = new JobMonitor();
        var told = new ConcurrentQueue<JobWait?>();

        BackupResult result = await BackUpAsync(Store(_ => told.Enqueue(monitor.Snapshot().Wait)), monitor);

        Assert.True(silence.IsCompletedSuccessfully);
        Assert.Equal(RecoveryPointStatus.Completed, result.Point.Status);
        Assert.NotEmpty(told);
        Assert.All(told, wait => Assert.NotEmpty(Assert.IsType<JobWait>(wait).Cause));
        Assert.Null(monitor.Snapshot().Wait);
        _proxy.Decide = _ => null;
        await AssertRestoresAsync(Store());
        await AssertSoundAsync();
    }

    [Fact]
    public async Task A_token_that_expires_ends_the_job_with_the_reason_and_the_next_one_continues()
    {
        new SourceTreeBuilder(Source).File("large-2", 70 << 20, seed: 3);
        long sent = 0;
        _proxy.Decide = request => request.Method == "PUT" && Interlocked.Add(ref sent, request.Length) > 40 << 20
            ? new NetworkFault.Answer(403, "AuthenticationFailed")
            : null;

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => BackUpAsync(Store()));

        Assert.Equal(BackupErrorId.VaultAccessDenied, error.Id);
        Assert.False(error.IsTransient);
        _proxy.Decide = _ => null;
        await BackUpAsync(Store());
        OpenedVault vault = await OpenedVault.OpenAsync(BlobVaultStore.Open(_direct, new VaultConnection()), Passphrase, Stop);
        Assert.Equal(0, vault.CountRepeatedContents());
        await AssertRestoresAsync(Store());
        await AssertSoundAsync();
    }

    [Fact]
    public async Task A_refusal_whose_body_comes_late_is_understood()
    {
        _proxy.Decide = _ => new NetworkFault.Answer(404, "BlobNotFound") { BodyDelay = TimeSpan.FromMilliseconds(200) };

        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await Store().ReadAsync("vault.json", 0, new byte[10], Stop));

        Assert.Equal(BackupErrorId.VaultDataMissing, error.Id);
    }

    [Theory]
    [InlineData(403, "AuthorizationPermissionMismatch", BackupErrorId.VaultAccessDenied)]
    [InlineData(403, "AuthorizationFailure", BackupErrorId.VaultAccessDenied)]
    [InlineData(403, "AuthenticationFailed", BackupErrorId.VaultAccessDenied)]
    [InlineData(404, "ContainerNotFound", BackupErrorId.VaultNotFound)]
    [InlineData(403, "AccountIsDisabled", BackupErrorId.VaultAccountDisabled)]
    public async Task What_waiting_does_not_cure_is_asked_once(int status, string code, BackupErrorId expected)
    {
        _proxy.Decide = _ => new NetworkFault.Answer(status, code);
        ResilientVaultStore store = Store(wait => Assert.Fail($"It waits because of {wait.Cause}"));
        Func<Task>[] calls =
        [
            () => store.TryCreateAsync("sessions/a", new byte[10], Stop).AsTask(),
            () => store.ReadAsync("vault.json", 0, new byte[10], Stop).AsTask(),
            () => store.StatAsync("vault.json", Stop).AsTask(),
            () => store.ListAsync("keys/", Stop).ToListAsync(Stop).AsTask(),
        ];
        foreach (Func<Task> call in calls)
        {
            int before = _proxy.Requests.Count;
            BackupException error = await Assert.ThrowsAsync<BackupException>(call);
            Assert.False(error.IsTransient);
            Assert.Equal(expected, error.Id);
            ProxiedRequest[] asked = [.. _proxy.Requests.Skip(before)];
            Assert.Distinct(asked.Select(request => (request.Method, request.Target)));
            Assert.InRange(asked.Length, 1, 2);
        }
    }

    private static async Task<UnlockedVault> OpenAsync(IVaultStore store) => await TestVault.UnlockAsync(store, Passphrase, TestOptions.Quick, Stop);

    // Waits are short, for these outages are; what they grow to, and for how long, the tests of the store say.
    private ResilientVaultStore Store(Action<VaultWait>? waiting = null) => new(
        BlobVaultStore.Open(_throughProxy, new VaultConnection()),
        VaultRetryOptions.Remote with { FirstWait = TimeSpan.FromMilliseconds(20), LongestWait = TimeSpan.FromSeconds(1), Waiting = waiting });

    private async Task<BackupResult> BackUpAsync(IVaultStore store, JobMonitor? monitor = null)
    {
        var request = new BackupRequest { MachineName = Machine, Sources = [new BackupSource.Tree(Source, SourceSelection.Everything)] };
        return await (await OpenAsync(store)).BackUpAsync(request, monitor ?? new JobMonitor(), Stop);
    }

    private async Task AssertRestoresAsync(IVaultStore store)
    {
        string target = _folder["restored"];
        UnlockedVault engine = await OpenAsync(store);
        RecoveryPoint point = await engine.GetPointAsync("latest", Machine, Stop);
        var request = new RestoreRequest { Point = point, TargetFolder = target };
        await engine.RestoreAsync(request, new JobMonitor(), Stop);
        Assert.Empty(TreeComparer.Compare(Source, target + Source));
    }

    private async Task AssertSoundAsync()
    {
        UnlockedVault engine = await OpenAsync(BlobVaultStore.Open(_direct, new VaultConnection()));
        Assert.Empty((await engine.VerifyAsync(VerifyLevel.Data, new JobMonitor(), Stop)).Findings);
    }
}
