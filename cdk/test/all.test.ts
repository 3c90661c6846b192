// All tests in one process: loading the library takes longer than they do.
import './grants';
import './machines';
import './notifications';
import './browse';
import './file-systems';
import './https';
import './routes';
import './observability';
import './security';
import './snapshot';
import './app';
import './refusals';
import './props';
import './code';
import './contract';
import './definitions';
import './documents';
