using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Host.Rendering;

/// <summary>How a command speaks: to people as text, to programs as JSON lines. Its members may be called from any thread.</summary>
internal interface IRenderer
{
    /// <summary>Runs a job and shows how far it is, and what it skips, until it ends.</summary>
    Task<T> FollowAsync<T>(Func<JobMonitor, Task<T>> job);

    /// <summary>Runs work that counts by itself, and shows how far it is.</summary>
    Task<T> FollowAsync<T>(Func<JobProgress> read, Func<Task<T>> work);

    /// <summary>One line of a listing.</summary>
    void Item<T>(T document, Func<T, string> text)
        where T : Document;

    /// <summary>A listing that is short enough to be lined up.</summary>
    void Table<T>(IReadOnlyList<T> documents, TextTable<T> layout)
        where T : Document;

    /// <summary>Something the user should know while the command runs.</summary>
    void Note(string text);

    /// <summary>Something of the vault that cannot be read, while the command goes on. Written even where notes are not.</summary>
    void Warn(BackupException damage);

    /// <summary>An item that is skipped, or would be.</summary>
    void Skip(SkippedItem item);

    /// <summary>The end of a command that was carried out.</summary>
    /// <param name="summary">For programs.</param>
    /// <param name="text">For people; empty where the listing said it all.</param>
    void Finish(Summary summary, string text);

    /// <summary>The end of a command that failed.</summary>
    void Fail(Failure failure);
}
