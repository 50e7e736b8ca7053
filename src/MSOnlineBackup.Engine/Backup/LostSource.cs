using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>A source that could not be read at all, so that a backup went without it.</summary>
/// <param name="Name">As it was named.</param>
/// <param name="Failure">Why.</param>
public sealed record LostSource(string Name, BackupException Failure)
{
    /// <summary>One error that names them all; null where there are none.</summary>
    internal static BackupException? ToError(IReadOnlyList<LostSource> lost) => lost switch
    {
        [] => null,
        [var one] => one.Failure,
        _ => new BackupException(
            lost[0].Failure.Id,
            $"{lost.Count} sources could not be read: {string.Join(" ", lost.Select(source => source.Failure.Message))}",
            lost[0].Failure.RecommendedAction,
            lost[0].Name,
            innerException: lost[0].Failure),
    };
}
