using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Serving;

/// <summary>
/// A view that is mounted, in whatever way, until it is taken off: by this process, or by anybody with what the system has for it. Disposing takes it off, with force; where it
/// cannot, it throws, and <see cref="IMountWay.Clean"/> tries again later.
/// </summary>
internal interface IMountedView : IAsyncDisposable
{
    /// <summary>Where it is.</summary>
    string Folder { get; }

    /// <summary>Ends when it is taken off, as far as this process hears of it. Whoever waits for it looks at <see cref="IsOver"/> from time to time.</summary>
    Task Ended { get; }

    /// <summary>Whether it is not there any more. Asks the system where it must.</summary>
    bool IsOver { get; }

    /// <summary>For how long nobody has asked for anything.</summary>
    TimeSpan Idle { get; }

    /// <summary>Takes it off.</summary>
    /// <param name="force">Whether it goes although somebody is in it, who then gets errors.</param>
    /// <exception cref="BackupException">MountBusy: somebody is in it.</exception>
    Task StopAsync(bool force);
}
