using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Progress;

namespace MSOnlineBackup.Recovery;

/// <summary>A vault that is open, and who uses it.</summary>
internal sealed class OpenVault : IDisposable
{
    private readonly List<Action<string>> _notes = [];
    private IndexedVault? _index;
    private ITimer? _closing;

    public UnlockedVault Vault { get; set; } = null!;

    public int Users { get; private set; }

    /// <summary>Tells whoever uses the vault now.</summary>
    public void Note(string text)
    {
        Action<string>[] told;
        lock (_notes)
        {
            told = [.. _notes];
        }

        foreach (Action<string> note in told)
        {
            note(text);
        }
    }

    /// <summary>The vault with its index, which is read again where others have added to it.</summary>
    public async Task<IndexedVault> IndexAsync(CancellationToken cancellationToken, JobMonitor? monitor = null)
    {
        if (_index is not { } index || !await index.IsCurrentAsync(cancellationToken).ConfigureAwait(false))
        {
            _index = index = await Vault.IndexAsync(cancellationToken, monitor).ConfigureAwait(false);
        }

        return index;
    }

    public void Use(Action<string> note)
    {
        Users++;
        _closing?.Dispose();
        _closing = null;
        lock (_notes)
        {
            _notes.Add(note);
        }
    }

    public void Unuse(Action<string> note)
    {
        Users--;
        lock (_notes)
        {
            _notes.Remove(note);
        }
    }

    public void CloseAfter(TimeSpan time, TimeProvider clock, Action close) =>
        _closing = clock.CreateTimer(_ => close(), null, time, Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        _closing?.Dispose();
        Vault.Dispose();
    }
}

/// <summary>A vault that is lent to somebody. Disposing gives it back.</summary>
internal sealed class VaultLoan(OpenVault open, Action giveBack) : IDisposable
{
    private Action? _giveBack = giveBack;

    public UnlockedVault Vault => open.Vault;

    /// <inheritdoc cref="OpenVault.IndexAsync"/>
    public Task<IndexedVault> IndexAsync(CancellationToken cancellationToken, JobMonitor? monitor = null) => open.IndexAsync(cancellationToken, monitor);

    public bool IsOf(OpenVault vault) => vault == open;

    public void Dispose() => Interlocked.Exchange(ref _giveBack, null)?.Invoke();
}
