using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>Is told of the jobs of this machine, beside their records: a log of the system, a file of figures.</summary>
internal interface IJobObserver
{
    /// <summary>A job began.</summary>
    /// <exception cref="BackupException">It could not be told on. The job goes on, and its record warns.</exception>
    void Began(JobRecord job);

    /// <summary>A job ended, whose record is written; or one that was not begun was put on record.</summary>
    /// <exception cref="BackupException">It could not be told on. The record warns.</exception>
    void Ended(JobRecord job);
}
