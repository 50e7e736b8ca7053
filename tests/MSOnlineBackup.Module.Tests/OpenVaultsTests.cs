using MSOnlineBackup.Recovery;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;

namespace MSOnlineBackup.Module.Tests;

/// <summary>What a session keeps of the vaults that it has opened.</summary>
public sealed class OpenVaultsTests
{
    private const string Passphrase = "a passphrase for tests";

    private readonly MemoryVaultStore _objects = new();
    private readonly FakeClock _clock = new();
    private readonly OpenVaults _vaults;
    private readonly List<Action<string>> _told = [];
    private int _opened;

    public OpenVaultsTests() => _vaults = new OpenVaults(_clock);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_vault_is_opened_once_for_all_who_ask_within_two_minutes_of_each_other()
    {
        using VaultLoan first = await LendAsync();
        using (VaultLoan second = await LendAsync())
        {
            Assert.Same(first.Vault, second.Vault);
            Assert.Same(await first.IndexAsync(Cancel), await second.IndexAsync(Cancel));
        }

        first.Dispose();
        for (int time = 0; time < 5; time++)
        {
            _clock.Advance(OpenVaults.Kept - TimeSpan.FromSeconds(1));
            using VaultLoan later = await LendAsync();
            Assert.Same(first.Vault, later.Vault);
        }

        Assert.Equal(1, _opened);
    }

    [Fact]
    public async Task A_vault_that_nobody_uses_is_closed_and_one_in_use_is_not()
    {
        VaultLoan loan = await LendAsync();
        _clock.Advance(2 * OpenVaults.Kept);
        await loan.IndexAsync(Cancel);

        loan.Dispose();
        loan.Dispose();
        _clock.Advance(OpenVaults.Kept + TimeSpan.FromSeconds(1));

        await Assert.ThrowsAsync<ObjectDisposedException>(() => loan.Vault.AddKeyAsync("another passphrase", null, Cancel));
        using VaultLoan next = await LendAsync();
        Assert.NotSame(loan.Vault, next.Vault);
        Assert.Equal(2, _opened);
    }

    [Fact]
    public async Task Another_way_in_is_another_vault_and_two_who_open_one_at_once_get_along()
    {
        using VaultLoan own = await LendAsync("own");
        using VaultLoan other = await LendAsync("other");
        Assert.NotSame(own.Vault, other.Vault);

        var gate = new TaskCompletionSource();
        Task<VaultLoan> slow = LendAsync("both", gate.Task);
        VaultLoan fast = await LendAsync("both");
        gate.SetResult();
        using VaultLoan late = await slow;
        Assert.NotSame(fast.Vault, late.Vault);
        await late.IndexAsync(Cancel);
        fast.Dispose();
        late.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => late.Vault.AddKeyAsync("another passphrase", null, Cancel));
        using VaultLoan again = await LendAsync("both");
        Assert.Same(fast.Vault, again.Vault);
    }

    [Fact]
    public async Task What_a_vault_waits_for_is_told_to_who_uses_it_now()
    {
        var first = new List<string>();
        var second = new List<string>();
        VaultLoan loan = await LendAsync(note: first.Add);
        _told[0]("one");
        loan.Dispose();
        using VaultLoan next = await LendAsync(note: second.Add);

        _told[0]("two");

        Assert.Equal(["one"], first);
        Assert.Equal(["two"], second);
    }

    [Theory]
    [InlineData("gone")]
    [InlineData("another")]
    public async Task A_vault_that_is_no_longer_what_it_was_is_opened_anew(string what)
    {
        VaultLoan loan = await LendAsync();
        loan.Dispose();
        foreach (string name in _objects.Names)
        {
            _objects.Remove(name);
        }

        if (what == "another")
        {
            await Vault.CreateAsync(_objects, Passphrase, TestOptions.Quick, Cancel);
        }

        using VaultLoan next = await LendAsync();

        Assert.NotEqual(loan.Vault.VaultId, next.Vault.VaultId);
        Assert.Equal(2, _opened);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => loan.Vault.AddKeyAsync("another passphrase", null, Cancel));
    }

    [Fact]
    public async Task A_vault_that_does_not_open_is_asked_again()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => _vaults.LendAsync("key", _ => Task.FromException<UnlockedVault>(new InvalidOperationException()), _ => { }, Cancel));

        using VaultLoan loan = await LendAsync("key");

        Assert.Equal(1, _opened);
    }

    private Task<VaultLoan> LendAsync(string key = "key", Task? gate = null, Action<string>? note = null) => _vaults.LendAsync(
        key,
        async tell =>
        {
            _opened++;
            _told.Add(tell);
            Vault vault = _objects.Names.Count == 0
                ? await Vault.CreateAsync(_objects, Passphrase, TestOptions.Quick, Cancel)
                : await Vault.OpenAsync(_objects, TestOptions.Quick, Cancel);
            UnlockedVault unlocked = await vault.UnlockAsync(Passphrase, Cancel);
            await (gate ?? Task.CompletedTask);
            return unlocked;
        },
        note ?? (_ => { }),
        Cancel);
}
