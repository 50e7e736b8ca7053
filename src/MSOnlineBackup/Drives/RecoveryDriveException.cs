using System.Management.Automation;
using MSOnlineBackup.Errors;

namespace MSOnlineBackup.Drives;

/// <summary>
/// An error on its way from the provider through PowerShell, which keeps a record's id, category and advice only where the exception itself brings them. What went wrong is the inner
/// exception.
/// </summary>
public sealed class RecoveryDriveException : Exception, IContainsErrorRecord
{
    private RecoveryDriveException(ErrorRecord record)
        : base(record.ErrorDetails.Message, record.Exception)
    {
        string id = record.FullyQualifiedErrorId;
        ErrorRecord = new ErrorRecord(this, id, record.CategoryInfo.Category, record.TargetObject)
        {
            ErrorDetails = new ErrorDetails(record.ErrorDetails.Message) { RecommendedAction = record.ErrorDetails.RecommendedAction },
        };
    }

    /// <summary>What is reported.</summary>
    public ErrorRecord ErrorRecord { get; }

    /// <summary>The record of an error, as the provider gives it to PowerShell.</summary>
    internal static ErrorRecord Record(Exception exception) => new RecoveryDriveException(ErrorRecords.From(exception)).ErrorRecord;
}
